namespace Gradpath.Gpt2Runtime.Compilation;

/// <summary>What the heads and hidden units of a compiled model do that no operation uses.</summary>
/// <param name="Seed">Seed of their weights, and of which heads of a layer they are.</param>
/// <param name="Leak">Largest weight with which they write to a program's categorical variables. At 0 their edges have activations and
/// no effect at all.</param>
internal sealed record DistractorOptions(ulong Seed, double Leak = DistractorOptions.UsualLeak)
{
    /// <summary>Effects on the logits that are small and never decide the answer.</summary>
    public const double UsualLeak = 0.01;
}
