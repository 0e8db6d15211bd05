namespace Gradpath.Host.Sweeps.Plan;

/// <summary>What a sweep measures of each unit.</summary>
[Flags]
internal enum SweepEvaluation
{
    /// <summary>Nothing but the scores or the circuit.</summary>
    None = 0,

    /// <summary>Faithfulness over the plan's fractions with CPR and CMD; methods that score.</summary>
    Curve = 1,

    /// <summary>Faithfulness, KL, metric, accuracy and exact match at the plan's sizes; searches have one size of their own.</summary>
    Sizes = 2,

    /// <summary>The known circuit's edges among those of each size; tasks and models that have one.</summary>
    KnownCircuit = 4,

    /// <summary>What circuits of two methods share; computed when results are merged.</summary>
    Overlap = 8,

    /// <summary>How far the strongest edges depend on the prompts drawn; methods that have scores per prompt pair.</summary>
    Stability = 16,

    /// <summary>Faithfulness of each circuit on the pairs of the plan's other tasks.</summary>
    Transfer = 32,
}
