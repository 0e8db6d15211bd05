using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>The metric of every item's clean and corrupted run, gathered batch by batch; not negated.</summary>
/// <param name="items">Items of the run.</param>
internal sealed class ItemMetrics(int items)
{
    /// <summary>[items]: the clean runs.</summary>
    public double[] Clean { get; } = new double[items];

    /// <summary>[items]: the corrupted runs, judged by the clean prompts' answers.</summary>
    public double[] Corrupted { get; } = new double[items];

    /// <summary>Notes a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="metrics">What its two runs gave.</param>
    public void Note(PairBatch batch, PairMetrics metrics)
    {
        for (int i = 0; i < batch.Items.Length; i++)
        {
            Clean[batch.Items[i]] = metrics.Clean[i];
            Corrupted[batch.Items[i]] = metrics.Corrupted[i];
        }
    }
}
