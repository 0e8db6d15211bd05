using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Host.Options;

/// <summary>
/// The method that scores for a search where none is named: EAP-IG, whose strongest edges have more of the circuits that edge pruning finds
/// than EAP's (docs/edge-pruning.md); EAP, as published, for ablations that EAP-IG does not know.
/// </summary>
internal static class DefaultScorer
{
    /// <summary>What help says of it.</summary>
    public const string Help = "default: eap-ig, and eap where --ablation is not patching";

    /// <summary>The method.</summary>
    /// <param name="ablation">What edges outside a circuit carry.</param>
    public static AttributionMethod For(Ablation ablation) =>
        ablation == Ablation.Patching ? AttributionMethods.EapIg : AttributionMethods.Eap;

    /// <summary>The method that an option names, or the default.</summary>
    /// <param name="scorer">What <c>--scorer</c> says; null where it is not given.</param>
    /// <param name="ablation">What <c>--ablation</c> says.</param>
    /// <exception cref="UsageException">There is no such method or ablation.</exception>
    public static AttributionMethod Parse(string? scorer, string ablation) =>
        scorer is null ? For(EnumNames.Parse<Ablation>("ablation", ablation)) : MethodNames.Parse("scorer", scorer);
}
