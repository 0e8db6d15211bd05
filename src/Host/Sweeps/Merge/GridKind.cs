namespace Gradpath.Host.Sweeps.Merge;

/// <summary>What a grid is about.</summary>
internal enum GridKind
{
    /// <summary>A measure of whole units: CMD and CPR, method by task.</summary>
    Area,

    /// <summary>A measure along curves, method by task.</summary>
    Curve,

    /// <summary>A measure of circuits that fill a size or were searched for, method by task.</summary>
    Circuit,

    /// <summary>How far results depend on the prompts drawn, method by task.</summary>
    Stability,

    /// <summary>What circuits share, method by method.</summary>
    Overlap,

    /// <summary>Circuits of one task on the prompts of another, task by task.</summary>
    Transfer,
}
