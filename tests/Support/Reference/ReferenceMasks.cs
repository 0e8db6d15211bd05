using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Tests.Support.Reference;

/// <summary>Soft masks on edges, by the definition: every reader's input is mixed by itself, and the tape gives its gradient.</summary>
internal static class ReferenceMasks
{
    /// <summary>Runs every pair under masks [F, K] row-major.</summary>
    /// <returns>The loss per pair, and the derivative of their sum by every mask, [F, K]; 0 where there is no edge.</returns>
    public static (double[] Losses, double[] Gradient) Run(
        ReferenceModel model, IReadOnlyList<PromptPair> pairs, double[] masks, Ablation ablation, Metric metric)
    {
        ReferenceGraph graph = model.Graph;
        ReferenceItem[] items = ReferenceItem.Prepare(model, pairs, Enum.Parse<ReferenceAblation>(ablation.ToString()));
        var matrix = new double[graph.Rows, graph.Columns];
        for (int i = 0; i < masks.Length; i++) matrix[i / graph.Columns, i % graph.Columns] = masks[i];
        var losses = new double[pairs.Count];
        var gradient = new double[masks.Length];
        for (int i = 0; i < items.Length; i++)
        {
            ReferenceItem item = items[i];
            ReferenceRun run = ReferenceRun.Forward(
                model, item.CleanEmbedding, new ReferencePatch { Masks = matrix, Replacement = item.Replacement });
            losses[i] = ReferenceMetric.LossSign(metric) * ReferenceMetric.Value(metric, run.LastLogits, item.Pair, item.Clean.LastLogits);
            item.DifferentiateLoss(run, metric);
            for (int column = 0; column < graph.Columns; column++)
            {
                for (int row = 0; row < graph.WritersBefore(column); row++)
                {
                    RealMatrix difference = RealMatrix.Difference(run.Writers[row].Value, item.Replacement[row]);
                    gradient[(row * graph.Columns) + column] += RealMatrix.Dot(difference, run.Readers[column].GradientOrZero);
                }
            }
        }
        return (losses, gradient);
    }
}
