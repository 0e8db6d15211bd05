using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Native.Calls;

namespace Gradpath.Native.Options;

/// <summary>The options of scoring: those of <c>gradpath score</c>.</summary>
internal static class ScoreReader
{
    /// <summary>Reads them.</summary>
    /// <param name="o">The options.</param>
    /// <param name="own">The caller's own metric; null for none.</param>
    public static AttributionOptions Read(OptionObject o, Metric? own)
    {
        AttributionMethod method = Method(o);
        return new AttributionOptions
        {
            Method = method,
            Metric = MetricOption.Read(o, own),
            Steps = o.Count("steps", 1),
            Ablation = o.Value<Ablation>("ablation"),
            IgPoints = o.Value<IgPoints>("ig-points"),
            EmbeddingPath = Path(o, method),
            Normalization = o.Value<ScoreNormalization>("normalization") ?? ScoreNormalization.Item,
            BatchSize = o.Count("batch-size", 0) ?? 0,
            Seed = o.Seed(),
        };
    }

    /// <summary>Refuses a method whose scores are all 0 for the metric at hand.</summary>
    /// <param name="options">Method and its settings.</param>
    /// <param name="prompts">The prompts, whose metric it is where the options have none.</param>
    /// <exception cref="CallException">Its gradient is 0 at the clean prompts.</exception>
    public static void RequireScores(AttributionOptions options, PromptSet prompts)
    {
        Metric metric = options.Metric ?? prompts.Metric;
        if (!options.Method.VanishesFor(metric)) return;
        string from = options.Metric is null ? ", which the prompts have" : "";
        throw CallException.Argument(
            $"metric {metric}{from}: {options.Method} has no scores for it, as its gradient is 0 at the clean prompts; "
            + "use another method or another metric");
    }

    private static AttributionMethod Method(OptionObject o)
    {
        AttributionMethod method = o.Text("method") is { } name ? AttributionMethods.Find(name) : AttributionMethods.EapIg;
        bool isGiven = o.Has("of");
        string[] members = o.Texts("of");
        if (isGiven && members.Length == 0) throw CallException.Argument("options: of is empty; the names of methods are needed");
        EnsembleRule? rule = o.Value<EnsembleRule>("by");
        if (method.Members.Count > 0)
            return Ensemble.Of(members.Length > 0 ? [.. members.Select(AttributionMethods.Find)] : method.Members, rule ?? method.Rule);
        if (members.Length > 0 || rule is not null)
        {
            string given = members.Length > 0 ? "of" : "by";
            throw CallException.Argument($"options: {given} does not apply to {method}; {AttributionMethods.Ensemble} takes it");
        }
        return method;
    }

    private static EmbeddingPathOptions? Path(OptionObject o, AttributionMethod method)
    {
        EmbeddingPathOptions own = new()
        {
            Objective = o.Value<EmbeddingPathObjective>("path-objective"),
            Norm = o.Value<EmbeddingPathNorm>("path-norm"),
            Step = o.Value<EmbeddingPathStep>("path-eta"),
            Start = o.Value<EmbeddingPathStart>("path-start"),
            Outer = o.Value<EmbeddingPathOuter>("path-outer"),
            Direction = o.Value<EmbeddingPathDirection>("path-direction"),
        };
        string? name = o.Text("preset");
        if (name is null) return own == new EmbeddingPathOptions() ? null : own;
        if (!method.Takes(MethodSettings.EmbeddingPath))
            throw CallException.Argument($"options: preset does not apply to {method}; it is for {AttributionMethods.EapGp}");
        EmbeddingPathPreset preset = EmbeddingPathPreset.All.FirstOrDefault(p => TableNames.Same(name, p.Name))
            ?? throw CallException.Argument(
                $"options: preset {name}: {TableNames.Unknown("preset", name, [.. EmbeddingPathPreset.All.Select(p => p.Name)])}");
        return own.Or(preset.Options);
    }
}
