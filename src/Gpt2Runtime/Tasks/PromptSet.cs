using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>The prompt pairs of one task, as read from one file or generator.</summary>
/// <param name="Task">The task's name (<c>ioi</c>, ...), or the file's name for a set of the user's own.</param>
/// <param name="Metric">The metric that the task is judged by unless the user says otherwise.</param>
/// <param name="Pairs">The items, in file order.</param>
/// <param name="Source">Where they came from, for messages and provenance.</param>
/// <param name="Hash">SHA-256 of the source's bytes in lower-case hex.</param>
public sealed record PromptSet(string Task, TaskMetric Metric, IReadOnlyList<PromptPair> Pairs, string Source, string Hash)
{
    /// <summary>The token that prompts which came as text begin with; null where none came as text or none was put in front.</summary>
    public BeginToken? BeginToken { get; init; }

    /// <summary>What a user should know of how texts became tokens, one sentence each; a host shows each once.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}
