namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>Halves of prompts, so that a circuit is judged on other pairs than it was found on.</summary>
public enum PromptSplit
{
    /// <summary>The first half, rounded down: what circuits are found on.</summary>
    Train,

    /// <summary>The rest: what circuits are judged on.</summary>
    Judge,
}
