using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary>A task of a matrix of transfer.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Judge">The session on the prompts that judge.</param>
/// <param name="Prompts">Those that its circuits were found on, and those that judge.</param>
/// <param name="Circuits">Its circuits, one per size.</param>
internal sealed record TransferTask(string Name, EvaluationSession Judge, SplitPrompts Prompts, IReadOnlyList<Circuit> Circuits)
{
    /// <summary>What circuits do on its prompts: size by size, and within a size those of the tasks, then random ones.</summary>
    public TransferColumn? Column { get; init; }
}
