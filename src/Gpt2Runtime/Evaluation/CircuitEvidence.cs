namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>What the outcome of a test says about a circuit.</summary>
public enum CircuitEvidence
{
    /// <summary>The null hypothesis stands, which shows nothing.</summary>
    None,

    /// <summary>A null hypothesis that no good circuit fulfils is rejected.</summary>
    For,

    /// <summary>A null hypothesis that a good circuit fulfils is rejected.</summary>
    Against,
}
