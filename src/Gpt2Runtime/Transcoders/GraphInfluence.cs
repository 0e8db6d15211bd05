namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>
/// The influence of every node on the logits: with A the absolute weights, every row divided by its sum, and p the logits' probabilities,
/// p A + p A^2 + ... The graph has no cycles, so the series ends, and its sum is made in one sweep from the logits down.
/// </summary>
internal static class GraphInfluence
{
    /// <summary>The influence of the sources of some rows.</summary>
    /// <param name="sources">The sources.</param>
    /// <param name="logits">The logits.</param>
    /// <param name="rows">The incoming edges of all targets, any order.</param>
    /// <param name="has">Whether a source takes part; the edges of others count as 0.</param>
    /// <param name="edge">Told each target's row with its share of a weight of 1; null for nothing.</param>
    /// <returns>[sources].</returns>
    public static double[] Of(
        GraphSources sources, IReadOnlyList<GraphLogit> logits, IEnumerable<GraphRow> rows, Func<int, bool> has,
        Action<GraphRow, double>? edge = null)
    {
        double[] influence = new double[sources.Count];
        foreach (GraphRow row in rows.OrderBy(r => r.Slot < 0 ? int.MinValue : -r.Slot))
        {
            double own = row.Slot < 0 ? logits[-1 - row.Slot].Probability : influence[row.Slot];
            if (own == 0 || (row.Slot >= 0 && !has(row.Slot))) continue;
            double sum = 0;
            for (int s = 0; s < row.Slots.Length; s++)
            {
                if (row.Slots[s] != 0 && has(s)) sum += Math.Abs(row.Slots[s]);
            }
            foreach (float token in row.Tokens) sum += Math.Abs(token);
            if (sum == 0) continue;
            double share = own / sum;
            for (int s = 0; s < row.Slots.Length; s++)
            {
                if (row.Slots[s] != 0 && has(s)) influence[s] += share * Math.Abs(row.Slots[s]);
            }
            for (int t = 0; t < row.Tokens.Length; t++) influence[sources.Slots.Length + t] += share * Math.Abs(row.Tokens[t]);
            edge?.Invoke(row, share);
        }
        return influence;
    }
}
