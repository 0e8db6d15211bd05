namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>What a search took.</summary>
/// <param name="Tested">Candidates whose result was used.</param>
/// <param name="Runs">Candidates that ran, with those whose guess about the ones before them was wrong.</param>
/// <param name="Sublayers">Sublayers (the logits count as one) that these runs went through, each with all prompts.</param>
/// <param name="Seconds">Time spent.</param>
public readonly record struct AcdcEffort(long Tested, long Runs, long Sublayers, double Seconds)
{
    /// <summary>The runs as a number of whole forward passes over the prompts.</summary>
    /// <param name="layers">Layers L of the model, which has 2 L + 1 sublayers.</param>
    /// <returns>The number.</returns>
    public double Passes(int layers) => Sublayers / ((2.0 * layers) + 1);
}
