namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>A prompt pair as texts, of which <see cref="PromptSet.OfTexts"/> makes tokens.</summary>
/// <param name="Clean">The clean prompt, without a begin token.</param>
/// <param name="Corrupted">The corrupted prompt, of the same number of tokens.</param>
public sealed record TextPair(string Clean, string Corrupted)
{
    /// <summary>The right answers. Behind a word the space belongs to the answer: <c>" Anna"</c>.</summary>
    public IReadOnlyList<string> Answers { get; init; } = [];

    /// <summary>The wrong answers.</summary>
    public IReadOnlyList<string> WrongAnswers { get; init; } = [];

    /// <summary>A name for messages and per-item results, or null.</summary>
    public string? Id { get; init; }

    /// <summary>Free text that groups pairs, or null.</summary>
    public string? Label { get; init; }
}
