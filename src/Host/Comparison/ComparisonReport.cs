using Gradpath.Gpt2Runtime.Discovery;

namespace Gradpath.Host.Comparison;

/// <summary>What the page of a benchmark shows.</summary>
/// <param name="Title">The heading.</param>
/// <param name="Facts">What a reader should know first, as names and values.</param>
/// <param name="Metric">The metric's name.</param>
/// <param name="Judged">Whether there is a ground truth.</param>
/// <param name="Rows">The table.</param>
/// <param name="Training">Steps of each training run, by name.</param>
/// <param name="Heads">Where searches and EAP disagree.</param>
internal sealed record ComparisonReport(
    string Title,
    IReadOnlyList<(string Name, string Value)> Facts,
    string Metric,
    bool Judged,
    IReadOnlyList<ComparisonRow> Rows,
    IReadOnlyList<(string Name, IReadOnlyList<EdgePruningStep> Steps)> Training,
    IReadOnlyList<HeadChoice> Heads);
