namespace Gradpath.Perf.Ops.Families;

/// <summary>Attention and its backward pass.</summary>
public class AttentionOps : OpBenchmark
{
    /// <inheritdoc />
    public override string Family => "Attention";
}
