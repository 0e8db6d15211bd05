using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>
/// The circuits that the tests of a circuit run, by number: the circuit, the model without it, the circuit without each edge, inflated
/// circuits, those without an edge that was added, random circuits, the model without each of these. What no test needs is left out.
/// </summary>
internal sealed class CircuitTestPlan
{
    private readonly Circuit _circuit;
    private readonly ulong _seed;
    private readonly int _inflated;
    private readonly int _sufficient;
    private readonly int _necessary;

    /// <summary>Draws the edges.</summary>
    /// <param name="circuit">The circuit.</param>
    /// <param name="options">The tests and their draws.</param>
    public CircuitTestPlan(Circuit circuit, CircuitTestOptions options)
    {
        _circuit = circuit;
        _seed = options.Seed;
        if (options.Tests.Contains(CircuitTestKind.Minimality))
        {
            Edges = Sample([.. circuit.Edges], options.Edges ?? circuit.EdgeCount, Stream(0, 0));
            _inflated = options.RandomDraws;
        }
        if (options.Tests.Contains(CircuitTestKind.Sufficiency)) _sufficient = options.RandomDraws;
        if (options.Tests.Contains(CircuitTestKind.PartialNecessity)) _necessary = options.RandomDraws;
    }

    /// <summary>The edges whose minimality is tested, in the order of the graph.</summary>
    public IReadOnlyList<(int Row, int Column)> Edges { get; } = [];

    /// <summary>Number of circuits.</summary>
    public int Count => 2 + Edges.Count + (2 * _inflated) + _sufficient + _necessary;

    /// <summary>Makes a circuit.</summary>
    /// <param name="number">From 0 to <see cref="Count"/> - 1.</param>
    public Circuit Make(int number)
    {
        if (number == 0) return _circuit;
        if (number == 1) return RandomCircuits.Complement(_circuit);
        int at = number - 2;
        if (at < Edges.Count) return RandomCircuits.Without(_circuit, Edges[at].Row, Edges[at].Column);
        at -= Edges.Count;
        if (at < 2 * _inflated)
        {
            (Circuit inflated, (int row, int column)) = RandomCircuits.Inflate(_circuit, Stream(1, at % _inflated));
            return at < _inflated ? inflated : RandomCircuits.Without(inflated, row, column);
        }
        at -= 2 * _inflated;

        // Both tests that draw circuits draw the same.
        Circuit random = RandomCircuits.OfSize(_circuit.Graph, _circuit.EdgeCount, Stream(2, at < _sufficient ? at : at - _sufficient));
        return at < _sufficient ? random : RandomCircuits.Complement(random);
    }

    /// <summary>A circuit's metric per prompt pair.</summary>
    /// <param name="runs">What has run.</param>
    public static IReadOnlyList<double> Circuit(CircuitMetrics runs) => runs.Circuits[0];

    /// <summary>The metric of the model without the circuit.</summary>
    /// <param name="runs">What has run.</param>
    public static IReadOnlyList<double> Complement(CircuitMetrics runs) => runs.Circuits[1];

    /// <summary>The metric of the circuit without each edge.</summary>
    /// <param name="runs">What has run.</param>
    public IEnumerable<IReadOnlyList<double>> WithoutEdge(CircuitMetrics runs) => runs.Circuits.Skip(2).Take(Edges.Count);

    /// <summary>The metrics of inflated circuits, with and without an edge that was added.</summary>
    /// <param name="runs">What has run.</param>
    public IEnumerable<(IReadOnlyList<double> With, IReadOnlyList<double> Without)> Inflated(CircuitMetrics runs)
    {
        IEnumerable<IReadOnlyList<double>> from = runs.Circuits.Skip(2 + Edges.Count);
        return from.Take(_inflated).Zip(from.Skip(_inflated).Take(_inflated));
    }

    /// <summary>The metrics of random circuits.</summary>
    /// <param name="runs">What has run.</param>
    public IEnumerable<IReadOnlyList<double>> Random(CircuitMetrics runs) =>
        runs.Circuits.Skip(2 + Edges.Count + (2 * _inflated)).Take(_sufficient);

    /// <summary>The metrics of the model without random circuits.</summary>
    /// <param name="runs">What has run.</param>
    public IEnumerable<IReadOnlyList<double>> WithoutRandom(CircuitMetrics runs) => runs.Circuits.TakeLast(_necessary);

    /// <summary>The seed of a draw: another one for every purpose and number.</summary>
    /// <param name="purpose">What is drawn.</param>
    /// <param name="number">The number of the draw.</param>
    public ulong Stream(int purpose, int number) =>
        new SplitMix64(new SplitMix64(_seed + ((ulong)purpose << 56)).Next() + (ulong)number).Next();

    private static (int Row, int Column)[] Sample((int Row, int Column)[] edges, int count, ulong seed)
    {
        if (count >= edges.Length) return edges;
        var random = new SplitMix64(seed);
        int[] order = [.. Enumerable.Range(0, edges.Length)];
        random.Draw<int>(order, count);
        return [.. order.Take(count).Order().Select(i => edges[i])];
    }
}
