namespace Gradpath.Perf.Ops.Families;

/// <summary>Gradients of readers and the contraction with the writers' differences.</summary>
public class EdgeOps : OpBenchmark
{
    /// <inheritdoc />
    public override string Family => "Edges";
}
