namespace Gradpath.Gpt2Runtime.Runs;

/// <summary>What takes the place of a writer's output.</summary>
public enum Ablation
{
    /// <summary><c>patching</c>: its output on the corrupted prompt.</summary>
    Patching,

    /// <summary><c>zero</c>: zero.</summary>
    Zero,

    /// <summary>
    /// <c>mean-positional</c>: its mean over the clean prompts of the data set at the same position. All prompts must have one length.
    /// </summary>
    MeanPositional,
}
