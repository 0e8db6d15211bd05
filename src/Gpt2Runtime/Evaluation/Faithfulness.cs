namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>
/// Faithfulness f = (m(C) - m(empty)) / (m(full) - m(empty)) with m the mean of the metric over the data set: a ratio of means, not a
/// mean of ratios. 1 where the circuit does as well as the model, 0 where it does as badly as the ablated model; it may leave that range.
/// </summary>
public static class Faithfulness
{
    /// <summary>The share of the mean effect below which the effect of a single item is small, see <see cref="SmallEffects"/>.</summary>
    public const double SmallShare = 0.1;

    /// <summary>
    /// The items on which the full model hardly differs from the ablated one: |full - empty| is less than <see cref="SmallShare"/> of the
    /// mean over items of full - empty, without its sign. A circuit's own ratio on such an item says little, and the ratio of means hardly
    /// counts it.
    /// </summary>
    /// <param name="full">The full model.</param>
    /// <param name="empty">Everything ablated.</param>
    /// <returns>Whether the effect is small, item by item.</returns>
    public static bool[] SmallEffects(CircuitOutcome full, CircuitOutcome empty)
    {
        ArgumentNullException.ThrowIfNull(full);
        ArgumentNullException.ThrowIfNull(empty);
        double mean = Math.Abs(full.MeanMetric - empty.MeanMetric);
        return [.. full.Metric.Zip(empty.Metric, (f, e) => Math.Abs(f - e) < SmallShare * mean)];
    }

    /// <summary>The faithfulness of a circuit.</summary>
    /// <param name="full">The metric of the full model per item.</param>
    /// <param name="circuit">The metric of the circuit per item.</param>
    /// <param name="empty">The metric with everything ablated per item.</param>
    /// <returns>The ratio; NaN where the full model does exactly as badly as the ablated one.</returns>
    public static double Of(ReadOnlySpan<double> full, ReadOnlySpan<double> circuit, ReadOnlySpan<double> empty)
    {
        double top = 0;
        double bottom = 0;
        for (int i = 0; i < full.Length; i++)
        {
            top += circuit[i] - empty[i];
            bottom += full[i] - empty[i];
        }
        return bottom == 0 ? double.NaN : top / bottom;
    }

    /// <summary>The faithfulness of a circuit that was evaluated.</summary>
    /// <param name="full">The full model.</param>
    /// <param name="circuit">The circuit.</param>
    /// <param name="empty">Everything ablated.</param>
    /// <returns>The ratio; NaN where the full model does exactly as badly as the ablated one.</returns>
    public static double Of(CircuitOutcome full, CircuitOutcome circuit, CircuitOutcome empty)
    {
        ArgumentNullException.ThrowIfNull(full);
        ArgumentNullException.ThrowIfNull(circuit);
        ArgumentNullException.ThrowIfNull(empty);
        return Of(full.Metric.AsSpan(), circuit.Metric.AsSpan(), empty.Metric.AsSpan());
    }

    /// <summary>The confidence interval of a circuit that was evaluated.</summary>
    /// <param name="full">The full model.</param>
    /// <param name="circuit">The circuit.</param>
    /// <param name="empty">Everything ablated.</param>
    /// <param name="level">Probability that the interval is to cover, 0.95 for the usual.</param>
    /// <param name="draws">Number of resampled data sets.</param>
    /// <param name="seed">Start of the random numbers; the same seed gives the same interval.</param>
    /// <returns>Lower and upper end.</returns>
    public static (double Low, double High) Interval(
        CircuitOutcome full, CircuitOutcome circuit, CircuitOutcome empty, double level = 0.95, int draws = 1000, ulong seed = 0)
    {
        ArgumentNullException.ThrowIfNull(full);
        ArgumentNullException.ThrowIfNull(circuit);
        ArgumentNullException.ThrowIfNull(empty);
        return Interval(full.Metric.AsSpan(), circuit.Metric.AsSpan(), empty.Metric.AsSpan(), level, draws, seed);
    }

    /// <summary>A bootstrap confidence interval: items are drawn anew with replacement, and the quantiles of the ratio are taken.</summary>
    /// <param name="full">The metric of the full model per item.</param>
    /// <param name="circuit">The metric of the circuit per item.</param>
    /// <param name="empty">The metric with everything ablated per item.</param>
    /// <param name="level">Probability that the interval is to cover, 0.95 for the usual.</param>
    /// <param name="draws">Number of resampled data sets.</param>
    /// <param name="seed">Start of the random numbers; the same seed gives the same interval.</param>
    /// <returns>Lower and upper end; NaN for a single item.</returns>
    public static (double Low, double High) Interval(
        ReadOnlySpan<double> full, ReadOnlySpan<double> circuit, ReadOnlySpan<double> empty, double level = 0.95, int draws = 1000,
        ulong seed = 0)
    {
        var random = new SplitMix64(seed);
        var ratios = new List<double>(draws);
        int items = full.Length;

        // One item drawn from itself is always the same.
        if (items < 2) return (double.NaN, double.NaN);
        for (int draw = 0; draw < draws; draw++)
        {
            double top = 0;
            double bottom = 0;
            for (int i = 0; i < items; i++)
            {
                int at = random.Below(items);
                top += circuit[at] - empty[at];
                bottom += full[at] - empty[at];
            }
            if (bottom != 0) ratios.Add(top / bottom);
        }
        if (ratios.Count == 0) return (double.NaN, double.NaN);
        ratios.Sort();
        return (Quantile((1 - level) / 2), Quantile((1 + level) / 2));

        double Quantile(double q)
        {
            double at = q * (ratios.Count - 1);
            int below = (int)at;
            return ratios[below] + ((at - below) * (ratios[Math.Min(below + 1, ratios.Count - 1)] - ratios[below]));
        }
    }
}
