namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>What is computed from the items of one circuit.</summary>
/// <param name="Faithfulness">As <see cref="Evaluation.Faithfulness"/> defines it; NaN where that is undefined.</param>
/// <param name="Low">Lower end of the 95 % bootstrap interval.</param>
/// <param name="High">Upper end of the interval.</param>
/// <param name="Ratio">The circuit's mean metric over the full model's.</param>
internal sealed record CircuitMeasures(double Faithfulness, double Low, double High, double Ratio)
{
    /// <summary>Measures a circuit that was evaluated.</summary>
    /// <param name="result">The evaluation.</param>
    /// <param name="index">The circuit's place in it.</param>
    /// <param name="seed">Seed of the interval's draws.</param>
    /// <returns>The measures.</returns>
    public static CircuitMeasures Of(EvaluationResult result, int index, ulong seed)
    {
        CircuitOutcome circuit = result.Circuits[index];
        (double low, double high) = Evaluation.Faithfulness.Interval(result.Full, circuit, result.Empty, seed: seed);
        return new CircuitMeasures(
            Evaluation.Faithfulness.Of(result.Full, circuit, result.Empty), low, high, circuit.MeanMetric / result.Full.MeanMetric);
    }
}
