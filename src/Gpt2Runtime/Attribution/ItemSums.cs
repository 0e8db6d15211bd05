using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// The scores of each prompt pair from sums that grow: what the sums have more after its last part than after the pair before it. The sums
/// are float64, so the difference keeps every bit of float32 scores.
/// </summary>
/// <param name="graph">The graph.</param>
/// <param name="parts">What runs for each item, in order and one at a time, each with the weight 1 / items.</param>
/// <param name="divisor">What sums are divided by.</param>
/// <param name="take">Told the scores of each item.</param>
internal sealed class ItemSums(ComputationGraph graph, AnswerParts parts, double divisor, ItemScoresFile.Taker take)
{
    private readonly float[] _scores = new float[graph.Writers * graph.Readers];
    private double[] _before = new double[graph.Writers * graph.Readers];

    /// <summary>Takes the sums after a part.</summary>
    /// <param name="part">The part.</param>
    /// <param name="sums">[F, K]: not changed after this.</param>
    public void Take(int part, double[] sums)
    {
        int item = parts.ItemOf(part);
        if (part + 1 < parts.Pairs.Count && parts.ItemOf(part + 1) == item) return;
        foreach ((int row, int column) in graph.Edges)
        {
            int at = (row * graph.Readers) + column;
            _scores[at] = (float)((sums[at] - _before[at]) * parts.Count / divisor);
            if (!float.IsFinite(_scores[at])) throw Overflow.Of($"the score of {graph.EdgeName(row, column)} on prompt pair {item + 1}");
        }
        _before = sums;
        take(_scores);
    }
}
