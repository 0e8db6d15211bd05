namespace Gradpath.Perf.Ops.Families;

/// <summary>The MLP's activation.</summary>
public class ActivationOps : OpBenchmark
{
    /// <inheritdoc />
    public override string Family => "Activation";
}
