using System.Diagnostics;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Commands;
using Gradpath.Host.Options;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Comparison;

/// <summary>Finds circuits of requested sizes with any method; scores are made once, and so is each of ACDC's runs.</summary>
/// <param name="session">Model and the prompts to find circuits on.</param>
/// <param name="o">Settings.</param>
/// <param name="terminal">Where progress is shown.</param>
/// <param name="cancellation">Stops the work.</param>
internal sealed class CircuitFinder(EvaluationSession session, BenchmarkOptions o, Terminal terminal, CancellationToken cancellation)
{
    private readonly Dictionary<AttributionMethod, (EdgeScores Scores, double Seconds)> _scores = [];
    private readonly ComputationGraph _graph = new(session.Weights.Config);
    private AcdcThresholdSearch? _acdc;

    /// <summary>Refuses methods that cannot be used with the metric or ablation.</summary>
    /// <exception cref="UsageException">Names the method.</exception>
    public void Check()
    {
        foreach (string name in o.MethodNames)
        {
            AttributionMethod? scorer = name == BenchmarkOptions.Hap ? AttributionMethods.Eap : BenchmarkOptions.Scorer(name);
            if (scorer is null) continue;
            if (scorer.VanishesFor(session.Metric))
            {
                throw new UsageException(
                    $"{scorer.Title} has no scores for {session.Metric}, whose gradient is 0 at the clean prompts; "
                    + $"leave {name} out of --methods or name another --metric.");
            }
            if (scorer.ReadsCorrupted && !scorer.Takes(MethodSettings.Ablation) && session.Options.Ablation != Ablation.Patching)
                throw new UsageException($"--ablation {EnumNames.Of(session.Options.Ablation)} does not apply to {name}; leave it out of --methods.");
        }
    }

    /// <summary>What a method's circuits depend on beside model, prompts, metric, ablation and seed.</summary>
    public JsonObject Settings(string method) => method switch
    {
        BenchmarkOptions.Acdc => new JsonObject { ["runs"] = o.AcdcRuns },
        BenchmarkOptions.EdgePrune => new JsonObject { ["steps"] = o.Steps, ["train-batch"] = o.TrainBatch, ["overshoot"] = o.Overshoot },
        BenchmarkOptions.Hap => new JsonObject { ["steps"] = o.Steps, ["train-batch"] = o.TrainBatch, ["overshoot"] = o.Overshoot, ["keep"] = o.Keep },
        _ => new JsonObject { ["select"] = Select, ["filled"] = true },
    };

    /// <summary>Finds a circuit.</summary>
    /// <param name="method">The method's name.</param>
    /// <param name="sparsity">Share of the edges that it is to lack.</param>
    public FoundCircuit Find(string method, double sparsity) => method switch
    {
        BenchmarkOptions.Acdc => Searched(sparsity),
        BenchmarkOptions.EdgePrune => Trained(sparsity, null, EdgePruneCommand.Method),
        BenchmarkOptions.Hap => Hybrid(sparsity),
        _ => Cut(BenchmarkOptions.Scorer(method)!, sparsity),
    };

    private string Select => o.Greedy ? "greedy" : "top-n";

    private FoundCircuit Cut(AttributionMethod method, double sparsity)
    {
        (EdgeScores scores, double seconds) = Scores(method);
        var watch = Stopwatch.StartNew();
        int count = EdgePruning.CircuitSize(_graph, sparsity);
        Circuit circuit = CircuitPruning.Fill(n => o.Greedy ? CircuitSelection.Greedy(scores, n) : CircuitSelection.TopEdges(scores, n), count, _graph.EdgeCount);
        seconds += watch.Elapsed.TotalSeconds;
        return new FoundCircuit(CircuitCommand.WithSelection(circuit, Select, JsonValue.Create(count), signed: false, pruned: true, filled: true), seconds)
        {
            Ranking = scores,
            Passes = PassCount.OfScoring(new AttributionOptions { Method = method }),
        };
    }

    private FoundCircuit Searched(double sparsity)
    {
        AcdcOptions options = new() { Objective = BuiltInMetrics.KlDivergence, Ablation = session.Options.Ablation, BatchSize = session.Options.BatchSize };
        _acdc ??= new AcdcThresholdSearch(tau => ScoringProgress.Run(
            terminal, "acdc", progress => Acdc.Search(session.Weights, session.Prompts, [tau], options, null, progress, cancellation))[0]);
        (AcdcRun run, IReadOnlyList<AcdcRun> path) = _acdc.Find(EdgePruning.CircuitSize(_graph, sparsity), o.AcdcRuns);
        return new FoundCircuit(AcdcCommand.WithProvenance(run.Result, session, options, null, prune: true), run.Time.TotalSeconds)
        {
            SecondsWithSearch = path.Sum(r => r.Time.TotalSeconds),
            Passes = PassCount.References + run.Result.Effort.Passes(_graph.Layers),
            Threshold = run.Result.Threshold,
        };
    }

    private FoundCircuit Hybrid(double sparsity)
    {
        (EdgeScores scores, double seconds) = Scores(AttributionMethods.Eap);
        JsonObject firstStage = HapCommand.FirstStage(o.Keep, AttributionMethods.Eap.Name, session.Metric.Name);
        FoundCircuit trained = Trained(sparsity, HybridPruning.Keep(scores, o.Keep), HapCommand.Method, firstStage);
        return trained with
        {
            Seconds = seconds + trained.Seconds,
            SecondsWithSearch = seconds + trained.Seconds,
            Passes = trained.Passes + PassCount.OfScoring(new AttributionOptions { Method = AttributionMethods.Eap }),
        };
    }

    private FoundCircuit Trained(double sparsity, bool[]? candidates, string method, JsonObject? firstStage = null)
    {
        var watch = Stopwatch.StartNew();
        EdgePruningResult result = MaskTraining.Run(session, o.Training(sparsity), candidates, method, null, false, terminal, cancellation);
        Gpt2Config config = session.Weights.Config;
        return new FoundCircuit(MaskTraining.WithProvenance(result, session, method, firstStage ?? []), watch.Elapsed.TotalSeconds)
        {
            Passes = PassCount.OfTraining(result, config, session.Prompts.Pairs.Count),
            Steps = result.Options.Steps,
            Training = result.Log,
        };
    }

    private (EdgeScores Scores, double Seconds) Scores(AttributionMethod method)
    {
        if (_scores.TryGetValue(method, out (EdgeScores, double) known)) return known;
        AttributionOptions options = new()
        {
            Method = method,
            Ablation = method.Takes(MethodSettings.Ablation) ? session.Options.Ablation : null,
            BatchSize = session.Options.BatchSize,
            Seed = method.Takes(MethodSettings.Seed) ? session.Seed : null,
        };
        var watch = Stopwatch.StartNew();
        EdgeScores scores = Scoring.Run(session.Weights, session.Prompts, options, terminal, cancellation).Scores;
        return _scores[method] = (scores, watch.Elapsed.TotalSeconds);
    }
}
