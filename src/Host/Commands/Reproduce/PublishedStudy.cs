using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Host.Commands;

/// <summary>Published figures of one task, with the settings that they were made with.</summary>
/// <param name="Name">What a user calls it.</param>
/// <param name="Task">The task.</param>
/// <param name="Metric">The metric that circuits were judged by.</param>
/// <param name="Prompts">How many prompt pairs were used.</param>
/// <param name="HardCorruption">Whether the corrupted prompts are the harder ones of the task's files.</param>
/// <param name="Areas">Whether the figures are areas over the circuit's size (CPR, CMD), not faithfulness at one size.</param>
/// <param name="Figures">The figures.</param>
/// <param name="Differences">What is known to differ here, one sentence each.</param>
internal sealed record PublishedStudy(
    string Name, CircuitTask Task, Metric Metric, int Prompts, bool HardCorruption, bool Areas, IReadOnlyList<PublishedFigure> Figures,
    IReadOnlyList<string> Differences);
