namespace Gradpath.Perf.Ops.Families;

/// <summary>Edge masks and their optimiser.</summary>
public class MaskOps : OpBenchmark
{
    /// <inheritdoc />
    public override string Family => "Masks";
}
