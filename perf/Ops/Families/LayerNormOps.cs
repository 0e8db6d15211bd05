namespace Gradpath.Perf.Ops.Families;

/// <summary>LayerNorm and its backward pass.</summary>
public class LayerNormOps : OpBenchmark
{
    /// <inheritdoc />
    public override string Family => "LayerNorm";
}
