using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Attribution;

namespace Gradpath.Host.Options;

/// <summary>Which options a method reads, and how a result file states them.</summary>
internal static class MethodOptions
{
    /// <summary>The methods that take <c>--steps</c>.</summary>
    public static readonly AttributionMethod[] Integrated = [AttributionMethod.EapIg, AttributionMethod.EapIgActivations, AttributionMethod.EapGp];

    /// <summary>The methods that take <c>--ablation</c>.</summary>
    public static readonly AttributionMethod[] Ablating = [AttributionMethod.Eap, AttributionMethod.EapIgActivations, AttributionMethod.Exact];

    /// <summary>The options that decided the scores, as provenance states them.</summary>
    public static JsonObject Describe(AttributionOptions options)
    {
        JsonObject json = [];
        if (Integrated.Contains(options.Method)) json["steps"] = options.Steps;
        if (options.Method == AttributionMethod.EapIg) json["ig-points"] = EnumNames.Of(options.IgPoints);
        if (options.Method == AttributionMethod.EapGp)
        {
            json["path-objective"] = EnumNames.Of(options.PathObjective);
            json["path-norm"] = EnumNames.Of(options.PathNorm);
            json["path-eta"] = EnumNames.Of(options.PathEta);
            json["path-start"] = EnumNames.Of(options.PathStart);
            json["path-outer"] = EnumNames.Of(options.PathOuter);
        }
        return json;
    }

    /// <summary>Whether the method replaces writers' outputs in a way that the user can choose.</summary>
    public static bool HasAblation(AttributionMethod method) => Ablating.Contains(method);

    /// <summary>A number that must be at least 1 where it is given.</summary>
    public static int? Positive(string option, int? value) =>
        value is null or > 0 ? value : throw new UsageException($"--{option} {value}: must be at least 1.");
}
