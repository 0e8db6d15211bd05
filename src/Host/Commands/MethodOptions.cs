using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Host.Commands;

/// <summary>
/// From the command line's words to <see cref="AttributionOptions"/>, and back to the options that a result file states. An option that
/// the method does not read is a usage error, not silence.
/// </summary>
internal static class MethodOptions
{
    private static readonly AttributionMethod[] s_integrated = [AttributionMethod.EapIg, AttributionMethod.EapIgActivations, AttributionMethod.EapGp];
    private static readonly AttributionMethod[] s_ablating = [AttributionMethod.Eap, AttributionMethod.EapIgActivations, AttributionMethod.Exact];
    private static readonly AttributionMethod[] s_recording = [AttributionMethod.Eap, AttributionMethod.EapIg, AttributionMethod.EapGp];
    private static readonly AttributionMethod[] s_path = [AttributionMethod.EapGp];
    private static readonly AttributionMethod[] s_judged = [.. Enum.GetValues<AttributionMethod>().Where(m => m.HasMetric())];

    /// <summary>Checks and translates the options; the metric stays at its default where the user named none.</summary>
    /// <exception cref="UsageException">A value is unknown, or an option does not go with the method.</exception>
    public static AttributionOptions Parse(ScoreOptions o)
    {
        AttributionMethod method = EnumNames.Parse<AttributionMethod>("method", o.Method);
        void Only(string option, object? value, params AttributionMethod[] methods)
        {
            if (value is not null && !methods.Contains(method))
                throw new UsageException($"--{option} does not apply to {EnumNames.Of(method)}; {EnumNames.Choice(methods.Select(m => EnumNames.Of(m)))} {(methods.Length == 1 ? "takes" : "take")} it.");
        }
        Only("steps", o.Steps, s_integrated);
        Only("ablation", o.Ablation, s_ablating);
        Only("metric", o.Metric, s_judged);
        Only("ig-points", o.IgPoints, AttributionMethod.EapIg);
        Only("path-objective", o.PathObjective, s_path);
        Only("path-norm", o.PathNorm, s_path);
        Only("path-eta", o.PathEta, s_path);
        Only("path-start", o.PathStart, s_path);
        Only("path-outer", o.PathOuter, s_path);
        Only("record-path", o.RecordPath, s_recording);

        AttributionOptions defaults = new();
        AttributionOptions options = new()
        {
            Method = method,
            Metric = Value("metric", o.Metric, defaults.Metric),
            Steps = Positive("steps", o.Steps) ?? defaults.Steps,
            Ablation = Value("ablation", o.Ablation, defaults.Ablation),
            IgPoints = Value("ig-points", o.IgPoints, defaults.IgPoints),
            PathObjective = Value("path-objective", o.PathObjective, defaults.PathObjective),
            PathNorm = Value("path-norm", o.PathNorm, defaults.PathNorm),
            PathEta = Value("path-eta", o.PathEta, defaults.PathEta),
            PathStart = Value("path-start", o.PathStart, defaults.PathStart),
            PathOuter = Value("path-outer", o.PathOuter, defaults.PathOuter),
            Normalization = Value("normalization", o.Normalization, defaults.Normalization),
            BatchSize = o.BatchSize ?? 0,
            RecordPath = o.RecordPath is not null,
            Seed = (ulong)Math.Max(0, o.Seed ?? 0),
        };
        if (options.Normalization == ScoreNormalization.Library && options.BatchSize == 0)
            throw new UsageException("--normalization library needs --batch-size: the scores depend on it.");
        return options;
    }

    /// <summary>The options that decided the scores, as provenance states them.</summary>
    public static JsonObject Describe(AttributionOptions options)
    {
        JsonObject json = [];
        if (s_integrated.Contains(options.Method)) json["steps"] = options.Steps;
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
    public static bool HasAblation(AttributionMethod method) => s_ablating.Contains(method);

    /// <summary>A number that must be at least 1 where it is given.</summary>
    public static int? Positive(string option, int? value) =>
        value is null or > 0 ? value : throw new UsageException($"--{option} {value}: must be at least 1.");

    private static T Value<T>(string option, string? text, T fallback)
        where T : struct, Enum => text is null ? fallback : EnumNames.Parse<T>(option, text);
}
