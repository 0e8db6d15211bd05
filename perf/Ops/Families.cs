namespace Gradpath.Perf.Ops;

/// <summary>Matrix products.</summary>
public class GemmOps : OpBenchmark
{
    /// <inheritdoc />
    public override IReadOnlyList<string> Ops { get; } = ["Gemm"];
}

/// <summary>Attention and its backward pass.</summary>
public class AttentionOps : OpBenchmark
{
    /// <inheritdoc />
    public override IReadOnlyList<string> Ops { get; } = ["Attention", "AttentionBackward"];
}

/// <summary>Gradients of readers and the contraction with the writers' differences.</summary>
public class EdgeOps : OpBenchmark
{
    /// <inheritdoc />
    public override IReadOnlyList<string> Ops { get; } = ["AccumulateReaders", "FinishReaders", "ContractEdges", "Proximity"];
}

/// <summary>LayerNorm and its backward pass.</summary>
public class LayerNormOps : OpBenchmark
{
    /// <inheritdoc />
    public override IReadOnlyList<string> Ops { get; } = ["LayerNorm", "LayerNormBackward", "Standardize"];
}

/// <summary>The MLP's activation.</summary>
public class ActivationOps : OpBenchmark
{
    /// <inheritdoc />
    public override IReadOnlyList<string> Ops { get; } = ["Activate", "MultiplyRows"];
}

/// <summary>From logits to metrics and their gradients.</summary>
public class LogitOps : OpBenchmark
{
    /// <inheritdoc />
    public override IReadOnlyList<string> Ops { get; } =
        ["LogSoftmax", "WeightedRowSums", "ProbabilityDifference", "KlDivergence", "ProbabilityDistanceGradient", "RowDots", "ArgMax"];
}

/// <summary>EAP-GP's path.</summary>
public class PathOps : OpBenchmark
{
    /// <inheritdoc />
    public override IReadOnlyList<string> Ops { get; } = ["SequenceDots", "PathStep"];
}

/// <summary>Rows and blocks: gathering, combining, copying.</summary>
public class RowOps : OpBenchmark
{
    /// <inheritdoc />
    public override IReadOnlyList<string> Ops { get; } =
        ["GatherRows", "ScatterAddRows", "Combine", "Fill", "ScaleRows", "CopyBlock", "AddBlock", "CopyMatrix", "SubtractRows", "MirrorUpperTriangle"];
}

/// <summary>Edge masks and their optimiser.</summary>
public class MaskOps : OpBenchmark
{
    /// <inheritdoc />
    public override IReadOnlyList<string> Ops { get; } = ["SampleHardConcrete", "PlaceMasks", "MaskGradients", "AdamWStep"];
}

/// <summary>The inputs of a patched pass's readers.</summary>
public class MixOps : OpBenchmark
{
    /// <inheritdoc />
    public override IReadOnlyList<string> Ops { get; } = ["MixInputs"];
}
