namespace Gradpath.Perf.Ops.Families;

/// <summary>From logits to metrics and their gradients.</summary>
public class LogitOps : OpBenchmark
{
    /// <inheritdoc />
    public override string Family => "Logits";
}
