using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>How much each item counts in the final scores; every normalisation is a set of weights.</summary>
internal static class ItemWeights
{
    /// <summary>The weights.</summary>
    /// <param name="settings">Method, normalisation and, for the library's, its batch size.</param>
    /// <param name="parts">The N items, and what runs for each.</param>
    /// <returns>
    /// 1/N for each part of an item; or as the library, which takes the mean over each batch of B in file order (the last may be smaller)
    /// and divides the sum over batches by N: 1/(N B). For exact patching it takes the mean over batches of the batch mean.
    /// </returns>
    public static double[] Of(ScoringSettings settings, AnswerParts parts)
    {
        var weights = new double[parts.Pairs.Count];
        if (settings.Normalization == ScoreNormalization.Item)
        {
            Array.Fill(weights, 1.0 / parts.Count);
            return weights;
        }
        int items = weights.Length;
        int size = Math.Min(settings.BatchSize, items);
        int batches = (items + size - 1) / size;
        for (int i = 0; i < items; i++)
        {
            int inBatch = Math.Min(size, items - (i / size * size));
            weights[i] = 1.0 / inBatch / (settings.Method.Work.MeanOverBatches ? batches : items);
        }
        return weights;
    }
}
