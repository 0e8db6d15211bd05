using System.Diagnostics;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Reports;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Comparison;

/// <summary>
/// Finds circuits of requested sizes with any method; scores are made once, and so is each run of a search with a threshold.
/// </summary>
/// <param name="session">Model and the prompts to find circuits on.</param>
/// <param name="settings">What is compared, and how.</param>
/// <param name="terminal">Where progress is shown.</param>
/// <param name="cancellation">Stops the work.</param>
internal sealed class CircuitFinder(
    EvaluationSession session, ComparisonSettings settings, Terminal terminal, CancellationToken cancellation)
{
    private readonly Dictionary<AttributionMethod, (EdgeScores Scores, double Seconds)> _scores = [];
    private readonly Dictionary<CircuitSearch, ThresholdSearch> _thresholds = [];
    private readonly ComputationGraph _graph = new(session.Weights.Config);

    /// <summary>Refuses methods that cannot be used with the metric or ablation.</summary>
    /// <exception cref="UsageException">Names the method.</exception>
    /// <exception cref="Gpt2Runtime.OptionException">A sparsity leaves no edge.</exception>
    public void Check()
    {
        foreach (double sparsity in settings.Sparsities) EdgePruning.CircuitSize(_graph, sparsity);
        foreach (ComparedMethod method in settings.Methods)
        {
            AttributionMethod? scorer = method.Search is { NeedsScorer: true } ? AttributionMethods.Eap : method.Scorer;
            if (scorer is null) continue;
            Scoring.RequireScores(session.Metric, scorer, $"leave {method.Name} out of --methods or name another --metric");
            Scoring.RequireAblation(session.Options.Ablation, scorer, method.Name, "leave it out of --methods");
        }
    }

    /// <summary>Finds a circuit.</summary>
    /// <param name="method">The method.</param>
    /// <param name="sparsity">Share of the edges that it is to lack.</param>
    public FoundCircuit Find(ComparedMethod method, double sparsity) =>
        method.Search is not { } search ? Cut(method.Scorer!, sparsity)
        : search.Sizing == SearchSizing.Threshold ? ByThreshold(search, sparsity)
        : BySparsity(search, sparsity);

    private FoundCircuit Cut(AttributionMethod method, double sparsity)
    {
        (EdgeScores scores, double seconds) = Scores(method);
        var watch = Stopwatch.StartNew();
        int count = EdgePruning.CircuitSize(_graph, sparsity);
        Circuit circuit = CircuitPruning.Fill(
            n => settings.Greedy ? CircuitSelection.Greedy(scores, n) : CircuitSelection.TopEdges(scores, n), count, _graph.EdgeCount);
        seconds += watch.Elapsed.TotalSeconds;
        Circuit stated = SelectedCircuit.State(
            circuit, settings.Select, JsonValue.Create(count), signed: false, pruned: true, filled: true);
        return new FoundCircuit(stated, seconds) { Ranking = scores, Passes = method.Scorer(Scoring.Options(session, method)).Passes };
    }

    private FoundCircuit ByThreshold(CircuitSearch search, double sparsity)
    {
        if (!_thresholds.TryGetValue(search, out ThresholdSearch? runs))
            _thresholds[search] = runs = new ThresholdSearch(tau => Run(search, settings.Options(search, sparsity).At(tau), null));
        (ThresholdRun run, IReadOnlyList<ThresholdRun> path) =
            runs.Find(EdgePruning.CircuitSize(_graph, sparsity), settings.ThresholdRuns);
        return new FoundCircuit(SelectedCircuit.Prune(SearchRun.State(run.Result, session)), run.Time.TotalSeconds)
        {
            SecondsWithSearch = path.Sum(r => r.Time.TotalSeconds),
            Passes = run.Result.Passes,
            Threshold = run.Threshold,
        };
    }

    private FoundCircuit BySparsity(CircuitSearch search, double sparsity)
    {
        (IEdgeScorer? scorer, double seconds) = (null, 0);
        if (search.NeedsScorer)
        {
            (EdgeScores scores, seconds) = Scores(AttributionMethods.Eap);
            AttributionOptions eap = Scoring.Options(session, AttributionMethods.Eap);
            scorer = new GivenScores(scores) { Passes = AttributionMethods.Eap.Scorer(eap).Passes };
        }
        var watch = Stopwatch.StartNew();
        SearchResult result = Run(search, settings.Options(search, sparsity).At(sparsity), scorer);
        var trained = result as EdgePruningResult;
        return new FoundCircuit(SearchRun.State(result, session), seconds + watch.Elapsed.TotalSeconds)
        {
            Passes = result.Passes,
            Steps = trained?.Options.Steps ?? 0,
            Training = trained?.Log,
        };
    }

    private SearchResult Run(CircuitSearch search, SearchOptions options, IEdgeScorer? scorer)
    {
        RunDetails.Settings(terminal, search.Name, options, _graph);
        bool trains = options is EdgePruningOptions;
        options = options with
        {
            Ablation = session.Options.Ablation,
            BatchSize = trains ? options.BatchSize : session.Options.BatchSize,
            Seed = search.Takes(SearchSettings.Seed) ? session.Seed : null,
            Scorer = scorer,
        };
        return ScoringProgress.Run(
            terminal, search.Name,
            progress => search.Search(session.Weights, session.Prompts, options, null, progress, cancellation));
    }

    // What is made ready at the first use, such as compiled code, is not the method's time. Exact patching takes long enough without.
    private void Warm(AttributionMethod method, AttributionOptions options)
    {
        if (method.Saves) return;
        PromptSet few = session.Prompts with { Pairs = [.. session.Prompts.Pairs.Take(2)] };
        EdgeAttribution.Run(session.Weights, few, options with { BatchSize = 0 }, cancellation: cancellation);
    }

    private (EdgeScores Scores, double Seconds) Scores(AttributionMethod method)
    {
        if (_scores.TryGetValue(method, out (EdgeScores, double) known)) return known;
        AttributionOptions options = Scoring.Options(session, method) with { BatchSize = session.Options.BatchSize };
        Warm(method, options);
        var watch = Stopwatch.StartNew();
        EdgeScores scores = Scoring.Run(session.Weights, session.Prompts, options, terminal, cancellation).Scores;
        return _scores[method] = (scores, watch.Elapsed.TotalSeconds);
    }
}
