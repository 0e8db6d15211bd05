namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>One item of a task: a clean prompt, its corrupted counterpart of the same token count, and the tokens that are judged.</summary>
/// <param name="Clean">Token ids exactly as the model sees them (a begin token is already in place where the task has one).</param>
/// <param name="Corrupted">Token ids of the same count.</param>
/// <param name="Answers">Ids of the right answers.</param>
/// <param name="WrongAnswers">Ids of the wrong answers.</param>
/// <param name="Id">A name for messages and per-item results, or null.</param>
/// <param name="Label">Free text that groups items, or null.</param>
/// <param name="CleanText">The clean prompt's text where it came as text.</param>
/// <param name="CorruptedText">The corrupted prompt's text where it came as text.</param>
public sealed record PromptPair(
    int[] Clean,
    int[] Corrupted,
    int[] Answers,
    int[] WrongAnswers,
    string? Id = null,
    string? Label = null,
    string? CleanText = null,
    string? CorruptedText = null)
{
    /// <summary>Number of tokens of either prompt.</summary>
    public int Length => Clean.Length;
}
