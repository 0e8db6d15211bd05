using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Reports;

namespace Gradpath.Host.Commands;

/// <summary>The matrices of several tasks' circuits.</summary>
/// <param name="Method">The method that scored.</param>
/// <param name="Sizes">The sizes of the circuits.</param>
/// <param name="Tasks">The tasks, each judged.</param>
/// <param name="Random">Random circuits of each size.</param>
internal sealed record TransferMatrices(string Method, IReadOnlyList<int> Sizes, IReadOnlyList<TransferTask> Tasks, int Random)
{
    /// <summary>The names of the tasks.</summary>
    public string[] Names { get; } = [.. Tasks.Select(t => t.Name)];

    /// <summary>All cells: size by size, circuit by circuit, task by task.</summary>
    public IEnumerable<TransferCell> Cells =>
        from size in Enumerable.Range(0, Sizes.Count)
        from of in Enumerable.Range(0, Tasks.Count)
        from judge in Enumerable.Range(0, Tasks.Count)
        select Cell(size, of, judge);

    /// <summary>What each matrix holds, with how a value is read.</summary>
    public static IReadOnlyList<(string Title, Func<TransferCell, double> Value)> Kinds { get; } =
    [
        ("overlap of edges (Jaccard)", c => c.Overlap.Edges.Jaccard),
        ("faithfulness of the circuit", c => c.Effect.Faithfulness),
        ("damage by ablating it", c => c.Effect.Damage),
    ];

    /// <summary>A cell.</summary>
    /// <param name="size">Which size.</param>
    /// <param name="of">Which task's circuit.</param>
    /// <param name="on">Which task judges.</param>
    public TransferCell Cell(int size, int of, int on)
    {
        Circuit circuit = Tasks[of].Circuits[size], other = Tasks[on].Circuits[size];
        double shared = (double)circuit.EdgeCount * other.EdgeCount / circuit.Graph.EdgeCount;
        return new TransferCell(
            Sizes[size], Tasks[of], Tasks[on], GroundTruthOverlap.Compare(circuit, other),
            shared / (circuit.EdgeCount + other.EdgeCount - shared), Effects(size, on)[of]);
    }

    /// <summary>The mean over the circuits of other tasks on a task's prompts.</summary>
    /// <param name="size">Which size.</param>
    /// <param name="on">Which task judges.</param>
    /// <param name="value">What of a cell.</param>
    public double MeanOfOthers(int size, int on, Func<TransferCell, double> value) =>
        Enumerable.Range(0, Tasks.Count).Where(of => of != on).Average(of => value(Cell(size, of, on)));

    /// <summary>The mean over random circuits on a task's prompts.</summary>
    /// <param name="size">Which size.</param>
    /// <param name="on">Which task judges.</param>
    /// <param name="value">What of an effect.</param>
    public double MeanOfRandom(int size, int on, Func<TransferEffect, double> value) => Effects(size, on)[Tasks.Count..].Average(value);

    private TransferEffect[] Effects(int size, int on) =>
        [.. Tasks[on].Column!.Effects.Skip(size * (Tasks.Count + Random)).Take(Tasks.Count + Random)];
}
