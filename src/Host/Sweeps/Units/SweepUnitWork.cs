using System.Diagnostics;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Sessions;
using Gradpath.Host.Sweeps.Plan;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Kernels;

namespace Gradpath.Host.Sweeps.Units;

/// <summary>Computes units: scores or a search on the pairs to train on, then whatever the plan wants of the circuits.</summary>
/// <param name="session">What units share.</param>
/// <param name="parts">Gives the sums of a part by its key; asked where a unit puts parts together.</param>
/// <param name="secondsOf">The time that a part took.</param>
internal sealed class SweepUnitWork(SweepSession session, Func<string, double[]> parts, Func<string, double> secondsOf) : IUnitWork
{
    private const string Command = "sweep";

    /// <inheritdoc />
    public UnitOutcome Run(SweepUnit unit, string progressFile, IProgress<RunProgress>? progress, CancellationToken cancellation)
    {
        try
        {
            return Compute(unit, progressFile, progress, cancellation);
        }
        catch (DeviceException)
        {
            // A GPU that has failed once fails at whatever comes next.
            session.LeaveDevice();
            throw;
        }
    }

    private UnitOutcome Compute(
        SweepUnit unit, string progressFile, IProgress<RunProgress>? progress, CancellationToken cancellation)
    {
        SplitPrompts prompts = session.Prompts(unit, cancellation);
        Gpt2Weights model = session.Weights(unit.Model, cancellation);
        RequireSame(unit, model, prompts, cancellation);
        if (unit.Part is { } part) return Part(unit, part, model, prompts, progress, cancellation);

        using ProgressFile checkpoint = Saved(unit, progressFile);
        var watch = Stopwatch.StartNew();
        PositionalScores? spans = null;
        (EdgeScores? scores, Circuit? found, double passes) =
            unit.Method.Verb == "score"
                ? Scored(unit, model, prompts.Find, checkpoint, progress, out spans, cancellation)
                : Searched(unit, model, prompts.Find, checkpoint, progress, cancellation);
        TimeSpan method = watch.Elapsed;
        watch.Restart();
        Circuit? circuit = found is null ? null : SelectedCircuit.Prune(found);
        var judge = new UnitJudge(session, unit, model, prompts, cancellation);
        UnitResult judged = spans is not null ? judge.Spans(spans) : scores is not null ? judge.Scores(scores) : judge.Circuit(circuit!);
        Provenance made = (scores is not null ? scores.Provenance : circuit!.Provenance)!;
        return new UnitOutcome(
            judged with
            {
                Passes = passes,
                Seconds = method.TotalSeconds + unit.Needs.Sum(secondsOf),
                JudgeSeconds = watch.Elapsed.TotalSeconds,
                Provenance = Judged(Provenance(unit, made).ToJson(), prompts),
            },
            scores, circuit)
        {
            FoundEdges = found?.EdgeCount,
            Spans = spans,
        };
    }

    // What a process has left that was stopped or killed. A state that cannot be used is no loss: the unit begins anew.
    // Devices differ in the last bits, so that one does not go on with the work of another.
    private ProgressFile Saved(SweepUnit unit, string progressFile)
    {
        var run = (JsonObject)unit.Identity.DeepClone();
        run["device"] = session.Device.Identity;
        var file = new ProgressFile(progressFile, Command, run);
        if (!File.Exists(file.Path)) return file;
        try
        {
            file.Resume();
        }
        catch (GradpathException)
        {
            file.Delete();
        }
        return file;
    }

    // The model or a file of prompts may have changed since the sweep was laid out.
    private void RequireSame(SweepUnit unit, Gpt2Weights model, SplitPrompts prompts, CancellationToken cancellation)
    {
        if (model.Hash != (string?)unit.Identity["model"])
            throw Changed(unit.Model, "the model is not the one");
        string pairs = session.PairsHash(unit.Model, unit.Task, unit.Seed, session.MetricOf(unit), cancellation);
        if (prompts.Find.Hash != (string?)unit.Identity["prompts"] || pairs != (string?)unit.Identity["pairs"])
        {
            throw Changed(unit.Task.Name, "the prompts are not those");
        }
        if (unit.Identity["transfer"] is not JsonObject others) return;
        JsonObject now = SweepExpansion.Others(session, unit.Model, unit.Task, unit.Seed, session.MetricOf(unit), cancellation);
        if (now.FirstOrDefault(o => !JsonNode.DeepEquals(others[o.Key], o.Value)).Key is { } changed)
            throw Changed(changed, "the prompts are not those");
    }

    private static GradpathException Changed(string what, string fault) => new(
        $"{what}: {fault} that the sweep began with; put back what was there and let 'gradpath sweep retry' forget the failure, or run the "
        + "plan with --extend, or into another folder");

    private static JsonObject Judged(JsonObject provenance, SplitPrompts prompts)
    {
        if (!ReferenceEquals(prompts.Find, prompts.Judge)) provenance["judge_clean_shared"] = prompts.SharedClean();
        return provenance;
    }

    private static Provenance Provenance(SweepUnit unit, Provenance made) => made with { Seed = unit.Seed };

    private (EdgeScores? Scores, Circuit? Circuit, double Passes) Scored(
        SweepUnit unit, Gpt2Weights model, PromptSet find, RunCheckpoint? checkpoint, IProgress<RunProgress>? progress,
        out PositionalScores? spans, CancellationToken cancellation)
    {
        spans = null;
        AttributionOptions options = Options(unit, session.Plan.BatchSize);
        double passes = options.Method.Scorer(options).Passes;
        if (unit.Needs.Count > 0) return (Joined(unit, model, find, options), null, passes);
        AttributionResult result = EdgeAttribution.Run(model, find, options, checkpoint, progress, cancellation);
        cancellation.ThrowIfCancellationRequested();
        spans = result.Positional;
        return (result.Scores, null, passes);
    }

    // A part of n of N pairs counts n / N.
    private EdgeScores Joined(SweepUnit unit, Gpt2Weights model, PromptSet find, AttributionOptions options)
    {
        var graph = new ComputationGraph(model.Config);
        return EdgeAttribution.Join(model, find, options, unit.Needs.Select(
            (key, i) => (PartOf(find, i, unit.Needs.Count).Pairs.Count / (double)find.Pairs.Count, Sums(key))));

        double[] Sums(string key) => parts(key) is { } sums && sums.Length == graph.Writers * graph.Readers
            ? sums
            : throw new GradpathException($"the sums of unit {key} are those of another model");
    }

    private UnitOutcome Part(
        SweepUnit unit, (int Part, int Of) part, Gpt2Weights model, SplitPrompts prompts, IProgress<RunProgress>? progress,
        CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        PromptSet find = PartOf(prompts.Find, part.Part, part.Of);
        AttributionOptions options = Options(unit, session.Plan.BatchSize);
        AttributionResult run = EdgeAttribution.Run(model, find, options, progress, cancellation);
        cancellation.ThrowIfCancellationRequested();
        UnitResult result = new()
        {
            Key = unit.Key,
            GraphEdges = run.Scores.Graph.EdgeCount,
            TrainPairs = find.Pairs.Count,
            JudgePairs = 0,
            Passes = options.Method.Scorer(options).Passes,
            Seconds = watch.Elapsed.TotalSeconds,
            JudgeSeconds = 0,
            Rows = [],
            Provenance = Provenance(unit, run.Scores.Provenance!).ToJson(),
        };
        return new UnitOutcome(result) { Sums = run.Means };
    }

    /// <summary>A unit's method with all its settings.</summary>
    /// <param name="unit">The unit.</param>
    /// <param name="batchSize">Prompt pairs per pass; null for as many as memory allows.</param>
    internal static AttributionOptions Options(SweepUnit unit, int? batchSize) =>
        SweepMethodOptions.Attribution(unit.Method, new UnitConditions
        {
            Ablation = unit.Ablation,
            Seed = unit.Seed,
            BatchSize = batchSize,
        });

    /// <summary>A part of the pairs to score: as even as can be, in their order.</summary>
    /// <param name="find">All of them.</param>
    /// <param name="part">The part, from 0.</param>
    /// <param name="of">How many there are.</param>
    internal static PromptSet PartOf(PromptSet find, int part, int of)
    {
        int count = find.Pairs.Count, first = (int)((long)count * part / of), behind = (int)((long)count * (part + 1) / of);
        return find with { Pairs = [.. find.Pairs.Skip(first).Take(behind - first)] };
    }

    private (EdgeScores? Scores, Circuit? Circuit, double Passes) Searched(
        SweepUnit unit, Gpt2Weights model, PromptSet find, RunCheckpoint? checkpoint, IProgress<RunProgress>? progress,
        CancellationToken cancellation)
    {
        CircuitSearch search = CircuitSearches.Find(unit.Method.Name);
        UnitConditions conditions = new()
        {
            Metric = find.Metric,
            Ablation = unit.Ablation,
            Seed = unit.Seed,
            BatchSize = session.Plan.BatchSize,
        };
        SearchOptions options = SweepMethodOptions.Search(unit.Method, conditions, new ComputationGraph(model.Config));
        double before = 0;
        if (SweepMethodOptions.Scorer(unit.Method) is { } method)
        {
            // The commands: acdc scores in its own batches, the others as memory allows.
            IEdgeScorer scorer = method.Scorer(new AttributionOptions
            {
                Method = method,
                Ablation = method.Takes(MethodSettings.Ablation) ? unit.Ablation : null,
                Seed = method.Takes(MethodSettings.Seed) ? (ulong)unit.Seed : null,
                BatchSize = options is AcdcOptions ? options.BatchSize : 0,
            });
            if (options is AcdcOptions acdc)
            {
                // Those of a search with a scorer count that in.
                before = scorer.Passes;
                options = acdc with { Scores = scorer.Score(model, find, null, cancellation) };
            }
            else
            {
                options = options with { Scorer = scorer };
            }
        }
        SearchResult result = search.Search(model, find, options, checkpoint, progress, cancellation);
        Circuit circuit = result.Circuit.With(Provenance(unit, result.Circuit.Provenance!));
        return (null, circuit, before + result.Passes);
    }
}
