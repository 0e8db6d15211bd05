using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Native.Calls;

namespace Gradpath.Native.Exports;

/// <summary>Graphs that calls name by their numbers of layers and heads.</summary>
internal static class GraphExports
{
    /// <summary>The graph of so many layers and heads.</summary>
    /// <param name="layers">Layers.</param>
    /// <param name="heads">Heads of a layer.</param>
    /// <exception cref="CallException">There is no such graph.</exception>
    public static ComputationGraph Graph(uint layers, uint heads)
    {
        if (layers is 0 or > int.MaxValue || heads is 0 or > int.MaxValue)
            throw CallException.Argument($"layers and heads are {layers} and {heads}; numbers from 1 on are needed");
        if (GraphNumbering.Lack((int)layers, (int)heads) is { } lack) throw CallException.Argument($"layers and heads: {lack}");
        return new ComputationGraph((int)layers, (int)heads);
    }

    /// <summary>Refuses a matrix of another size.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="count">Values of the matrix.</param>
    /// <param name="name">The argument.</param>
    public static void Require(ComputationGraph graph, int count, string name)
    {
        if (count == graph.Writers * graph.Readers) return;
        throw CallException.Argument(
            $"{name} has {count} values; {graph} need {graph.Writers} x {graph.Readers} = {graph.Writers * graph.Readers}, row-major");
    }
}
