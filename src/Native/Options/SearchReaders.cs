using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Native.Calls;

namespace Gradpath.Native.Options;

/// <summary>The options of searches: those of the verbs <c>acdc</c>, <c>edge-prune</c>, <c>hap</c> and <c>path-patch</c>.</summary>
internal static class SearchReaders
{
    private static readonly Dictionary<CircuitSearch, Func<OptionObject, Given, SearchOptions>> s_readers = new()
    {
        [CircuitSearches.Acdc] = Acdc,
        [CircuitSearches.EdgePruning] = (o, given) => Training(o, new EdgePruningOptions { Init = given.Scores }, given),
        [CircuitSearches.HybridPruning] = Hybrid,
        [CircuitSearches.PathTracing] = Paths,
    };

    /// <summary>What a search is handed beside its options.</summary>
    /// <param name="Graph">The model's graph.</param>
    /// <param name="Scores">Scores of the caller's; null for none.</param>
    /// <param name="Metric">A metric of the caller's; null for none.</param>
    public sealed record Given(ComputationGraph Graph, EdgeScores? Scores, Metric? Metric);

    /// <summary>Reads the options of a search.</summary>
    /// <param name="search">The search.</param>
    /// <param name="o">The options.</param>
    /// <param name="given">What it is handed beside them.</param>
    public static SearchOptions Read(CircuitSearch search, OptionObject o, Given given) => s_readers[search](o, given);

    private static AcdcOptions Acdc(OptionObject o, Given given)
    {
        AcdcOptions d = new();
        AcdcOptions options = d with
        {
            Metric = MetricOption.Read(o, given.Metric),
            Ablation = o.Value<Ablation>("ablation") ?? d.Ablation,
            BatchSize = o.Count("batch-size", 0) ?? 0,
            Threshold = o.Number("tau") ?? d.Threshold,
            Absolute = o.Flag("absolute") ?? false,
            Order = o.Value<SenderOrder>("order") ?? (given.Scores is null ? d.Order : SenderOrder.Score),
            Candidates = o.Count("candidates", 0) ?? 0,
            Scores = given.Scores,
        };
        if (options.Order == SenderOrder.Score && given.Scores is null)
            throw CallException.Argument("options: order score needs scores: hand some over");
        if (options.Order != SenderOrder.Score && given.Scores is not null)
            throw CallException.Argument("scores are read with the order score alone; leave them or the order out");
        return options;
    }

    private static HybridPruningOptions Hybrid(OptionObject o, Given given)
    {
        HybridPruningOptions d = new();
        string? scorer = o.Text("scorer");
        Metric? metric = MetricOption.Read(o, given.Metric);
        if (given.Scores is not null && (scorer ?? metric?.Name) is { } unread)
            throw CallException.Argument($"scores are handed over, so that nothing is scored: leave {unread} out");
        AttributionMethod method = scorer is null ? AttributionMethods.Eap : AttributionMethods.Find(scorer);
        HybridPruningOptions options = (HybridPruningOptions)Training(o, d with { Share = o.Number("keep") ?? d.Share }, null);
        return options with
        {
            Scorer = given.Scores is null
                ? method.Scorer(new AttributionOptions
                {
                    Metric = metric,
                    Ablation = method.Takes(MethodSettings.Ablation) ? options.Ablation : null,
                    Seed = method.Takes(MethodSettings.Seed) ? options.Seed : null,
                })
                : new GivenScores(given.Scores),
        };
    }

    private static EdgePruningOptions Training(OptionObject o, EdgePruningOptions d, Given? given)
    {
        if (given?.Metric is not null)
            throw CallException.Argument("a metric of the caller's does not apply to edge-prune, which goes by KL");
        return d with
        {
            Ablation = o.Value<Ablation>("ablation") ?? d.Ablation,
            BatchSize = o.Count("batch-size", 0) ?? 0,
            Seed = o.Seed() ?? 0,
            Sparsity = o.Number("sparsity") ?? d.Sparsity,
            Target = o.Number("target"),
            Steps = o.Count("steps", 1) ?? 0,
            TargetWarmup = o.Count("target-warmup", 1),
            Schedule = o.Value<TargetSchedule>("schedule") ?? d.Schedule,
            RateWarmup = o.Count("rate-warmup", 0),
            LearningRate = o.Number("learning-rate") ?? d.LearningRate,
            MultiplierRate = o.Number("multiplier-rate"),
            WeightDecay = o.Number("weight-decay"),
            MaxGradientNorm = o.Number("max-gradient-norm") ?? d.MaxGradientNorm,
            NodeMasks = o.Flag("node-masks") ?? false,
            NodeTarget = o.Number("node-target"),
            Draws = o.Count("draws", 1) ?? d.Draws,
        };
    }

    private static PathTracingOptions Paths(OptionObject o, Given given)
    {
        PathTracingOptions d = new();
        if (given.Scores is not null) throw CallException.Argument("scores do not apply to path-patch; leave them out");
        double? threshold = o.Number("threshold");
        int? top = o.Count("top-n", 1);
        if (threshold is not null && top is not null) throw CallException.Argument("options: give either threshold or top-n");
        return d with
        {
            Metric = MetricOption.Read(o, given.Metric),
            Ablation = o.Value<Ablation>("ablation") ?? d.Ablation,
            BatchSize = o.Count("batch-size", 0) ?? 0,
            Senders = PathNames.Senders(given.Graph, o.Texts("senders")),
            Receivers = PathNames.Receivers(
                given.Graph, o.Texts("receivers"), o.Text("positions") is { } at ? TokenPositions.Parse(at) : TokenPositions.End),
            SenderPositions = o.Text("sender-positions") is { } where ? TokenPositions.Parse(where) : d.SenderPositions,
            FreezeMlps = o.Flag("freeze-mlps") ?? false,
            Rounds = o.Count("rounds", 1) ?? 1,
            Threshold = top is not null ? null : threshold is { } percent ? percent / 100 : d.Threshold,
            Top = top,
        };
    }
}
