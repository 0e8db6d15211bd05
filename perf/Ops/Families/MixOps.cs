namespace Gradpath.Perf.Ops.Families;

/// <summary>The inputs of a patched pass's readers.</summary>
public class MixOps : OpBenchmark
{
    /// <inheritdoc />
    public override string Family => "Mix";
}
