namespace Gradpath.Perf.Ops.Families;

/// <summary>Rows and blocks: gathering, combining, copying.</summary>
public class RowOps : OpBenchmark
{
    /// <inheritdoc />
    public override string Family => "Rows";
}
