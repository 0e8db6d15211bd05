namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>How the target of the sparsity grows over the warm-up.</summary>
public enum TargetSchedule
{
    /// <summary>t = target step / warm-up.</summary>
    Linear,

    /// <summary>1 - t falls by the same factor each step: 1 - t = (1 - target)^(step / warm-up). For targets below 1.</summary>
    Logarithmic,
}
