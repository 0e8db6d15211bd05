namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>What a circuit does on the prompts of a task, its own or another. Where the full model does as badly as the ablated one all are
/// NaN.</summary>
/// <param name="Faithfulness">The circuit's faithfulness, see <see cref="Evaluation.Faithfulness"/>.</param>
/// <param name="Low">Lower end of its 95 % bootstrap interval; NaN for a single prompt pair.</param>
/// <param name="High">Upper end of the interval.</param>
/// <param name="Damage">What ablating the circuit does: 1 - the faithfulness of its complement, the edges outside it.</param>
/// <param name="DamageLow">Lower end of its 95 % bootstrap interval.</param>
/// <param name="DamageHigh">Upper end of the interval.</param>
public readonly record struct TransferEffect(
    double Faithfulness, double Low, double High, double Damage, double DamageLow, double DamageHigh);
