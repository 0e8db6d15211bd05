using Gradpath.Gpt2Runtime.Statistics;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>How a circuit is tested.</summary>
public sealed record CircuitTestOptions
{
    /// <summary>The tests to run.</summary>
    public IReadOnlyList<CircuitTestKind> Tests { get; init; } = Enum.GetValues<CircuitTestKind>();

    /// <summary>The level of each test, above 0 and below 1.</summary>
    public double Alpha { get; init; } = 0.05;

    /// <summary>How far from 1/2 the probability may be that the circuit does better than the full model, from 0 and below 1/2.</summary>
    public double Tolerance { get; init; } = 0.1;

    /// <summary>Random circuits, and inflated circuits, that the circuit is compared with.</summary>
    public int RandomDraws { get; init; } = 100;

    /// <summary>Permutations of the test of independence.</summary>
    public int Permutations { get; init; } = 1000;

    /// <summary>Edges whose minimality is tested, drawn from the circuit's; null for all.</summary>
    public int? Edges { get; init; }

    /// <summary>What decides which edges are needed.</summary>
    public Correction Correction { get; init; } = Correction.BenjaminiHochberg;

    /// <summary>Seed of all draws.</summary>
    public ulong Seed { get; init; }

    /// <summary>How circuits are evaluated.</summary>
    public EvaluationOptions Evaluation { get; init; } = new();

    /// <summary>Checks the numbers.</summary>
    /// <exception cref="OptionException">One is out of its range.</exception>
    internal void Check()
    {
        if (Tests.Count == 0) throw new OptionException($"at least one test must be run");
        if (Alpha is not (> 0 and < 1)) throw new OptionException($"the level of a test must be above 0 and below 1, not {Alpha}");
        if (Tolerance is not (>= 0 and < 0.5))
            throw new OptionException($"the tolerance of equivalence must be at least 0 and below 0.5, not {Tolerance}");
        if (RandomDraws < 1) throw new OptionException($"at least one random circuit is needed, not {RandomDraws}");
        if (Permutations < 1) throw new OptionException($"at least one permutation is needed, not {Permutations}");
        if (Edges is < 1) throw new OptionException($"at least one edge must be tested, not {Edges}");
    }
}
