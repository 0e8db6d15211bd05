using Gradpath.Gpt2Runtime.Discovery;

namespace Gradpath.Gpt2Runtime.Drawing;

/// <summary>The means of some steps of training, so that a figure of thousands of steps stays readable.</summary>
/// <param name="From">The first step.</param>
/// <param name="To">The last step.</param>
/// <param name="Kl">Mean KL.</param>
/// <param name="Loss">Mean of KL and both parts of the Lagrangian: what was minimised.</param>
/// <param name="Target">Mean sparsity aimed at.</param>
/// <param name="Sparsity">Mean sparsity.</param>
internal sealed record TrainingWindow(int From, int To, double Kl, double Loss, double Target, double Sparsity)
{
    private const int Most = 60;

    /// <summary>Windows of equal length, at most 60.</summary>
    public static IEnumerable<TrainingWindow> Of(IReadOnlyList<EdgePruningStep> steps) =>
        steps.Chunk((steps.Count + Most - 1) / Most).Select(window => new TrainingWindow(
        window[0].Step,
        window[^1].Step,
        window.Average(s => s.Kl),
        window.Average(s => s.Kl + s.EdgeLoss + s.NodeLoss),
        window.Average(s => s.EdgeTarget),
        window.Average(s => s.EdgeSparsity)));
}
