using Gradpath.Gpt2Runtime.Discovery;

namespace Gradpath.Gpt2Runtime.Drawing;

/// <summary>The steps of training masks of a method that the report has no scores of.</summary>
/// <param name="Name">What the log calls the method.</param>
/// <param name="Steps">The steps.</param>
internal sealed record TrainingLog(string Name, IReadOnlyList<EdgePruningStep> Steps);
