namespace Gradpath.Perf.Ops.Families;

/// <summary>The embedding path of EAP-GP.</summary>
public class PathOps : OpBenchmark
{
    /// <inheritdoc />
    public override string Family => "Path";
}
