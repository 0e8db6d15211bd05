namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>The hypothesis tests of a circuit, after Shi et al. (arXiv 2410.13032).</summary>
public enum CircuitTestKind
{
    /// <summary>Null: circuit and full model do better than each other equally often, within a tolerance.</summary>
    Equivalence,

    /// <summary>Null: they do not. What rejects it shows that they are equivalent, which the test before it cannot.</summary>
    NonEquivalence,

    /// <summary>Null: what the model without the circuit makes of a prompt is independent of what the full model makes of it.</summary>
    Independence,

    /// <summary>Null: an edge, taken out of the circuit, changes the metric no more than a random edge that was added to it.</summary>
    Minimality,

    /// <summary>Null: the circuit is no more faithful than random circuits of its size.</summary>
    Sufficiency,

    /// <summary>Null: without the circuit the model loses no more than without random circuits of its size.</summary>
    PartialNecessity,
}
