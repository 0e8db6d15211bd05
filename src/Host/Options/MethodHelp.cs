using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Host.Options;

/// <summary>
/// The help of options about attribution methods, made from the table of methods. Public because the parser of options wants it so.
/// </summary>
public static class MethodHelp
{
    /// <summary><c>--method</c>.</summary>
    public static string Method
    {
        get
        {
            ILookup<bool, AttributionMethod> byKind = AttributionMethods.All.ToLookup(m => m.IsBaseline);
            return $"{string.Join(", ", byKind[false])}, or the baselines {And(byKind[true])}.";
        }
    }

    /// <summary><c>--steps</c>.</summary>
    public static string Steps => $"Gradient points of {And(Taking(MethodSettings.Steps))} (default: 5).";

    /// <summary><c>--ablation</c>.</summary>
    public static string Ablation =>
        $"What replaces a writer's output, for {And(Taking(MethodSettings.Ablation))}: "
        + "patching (its output on the corrupted prompt; default), zero or mean-positional.";

    /// <summary><c>--ig-points</c>.</summary>
    public static string IgPoints =>
        $"Interpolation points of {And(Taking(MethodSettings.IgPoints))}: left (0..m-1 over m; default), right (1..m over m) or midpoint.";

    /// <summary><c>--positions</c>.</summary>
    public static string Positions =>
        "Score edges between spans of the prompts: spans (those that the prompts name) or tokens (each token by itself), for "
        + $"{And(AttributionMethods.All.Where(m => m.ScoresPositions))}. See docs/positions.md.";

    /// <summary><c>--seed</c>.</summary>
    public static string Seed => $"Seed of generated prompts and of the method {And(Taking(MethodSettings.Seed))} (default: 0).";

    /// <summary><c>--preset</c>.</summary>
    public static string Preset =>
        $"All path options of eap-gp at once: {string.Join("; ", EmbeddingPathPreset.All.Select(p => $"{p.Name} ({p.Summary})"))}.";

    /// <summary><c>--record-path</c>.</summary>
    public static string RecordPath =>
        "Write metric, gradient norm and output distance at every point of each pair's path, and at which prompt it starts, for "
        + $"{And(Taking(MethodSettings.RecordPath))}.";

    private static IEnumerable<AttributionMethod> Taking(MethodSettings setting) => AttributionMethods.All.Where(m => m.Takes(setting));

    private static string And(IEnumerable<AttributionMethod> methods)
    {
        string[] names = [.. methods.Select(m => m.Name)];
        return names.Length == 1 ? names[0] : $"{string.Join(", ", names[..^1])} and {names[^1]}";
    }
}
