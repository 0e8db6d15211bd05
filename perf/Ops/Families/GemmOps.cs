namespace Gradpath.Perf.Ops.Families;

/// <summary>Matrix products.</summary>
public class GemmOps : OpBenchmark
{
    /// <inheritdoc />
    public override string Family => "Gemm";
}
