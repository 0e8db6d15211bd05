using System.Diagnostics;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Options;
using Gradpath.Host.Sessions;
using Gradpath.Kernels;
using Gradpath.Programs;
using Gradpath.Programs.Reporting;
using MathNet.Numerics.Statistics;

namespace Gradpath.Perf.Paths;

/// <summary><c>perf paths</c>: which method with which options finds the better circuits, on pairs that it has not scored.</summary>
internal sealed class PathsCommand
{
    private static readonly int[] s_seeds = [0, 1, 2, 3, 4];

    private readonly PathsOptions _options;
    private readonly PathsScorer[] _scorers;
    private readonly (string Name, PromptRequest Prompts)[] _sets;
    private readonly int[] _seeds;
    private readonly Terminal _terminal;
    private readonly CancellationToken _cancellation;
    private readonly List<PathsRun> _runs = [];
    private readonly List<Saturation> _saturations = [];
    private int _part;

    private PathsCommand(PathsOptions options, Terminal terminal, CancellationToken cancellation)
    {
        (_options, _terminal, _cancellation) = (options, terminal, cancellation);
        _scorers = PathsScorer.All(options.Baseline, options.Scorers);
        _seeds = [.. options.Seeds];
        if (_seeds.Length == 0) _seeds = s_seeds;
        Metric? metric = options.Metric is null ? null : MetricNames.Parse("metric", options.Metric);
        string[] tasks = [.. options.Tasks.Select(t => TaskNames.Parse(t, "tasks").Name)];
        if (tasks.Length == 0 && !options.Data.Any()) tasks = [.. TaskCatalog.All.Select(t => t.Name)];
        _sets =
        [
            .. tasks.Select(t => (t, new PromptRequest { Task = t, Limit = options.Pairs, LimitOptions = "--pairs", Metric = metric })),
            .. options.Data.Select(d => (Path.GetFileNameWithoutExtension(d), new PromptRequest { Data = d, Metric = metric })),
        ];

        // Many files are called prompts.jsonl; those of one name are told apart by their paths.
        foreach (IGrouping<string, int> same in Enumerable.Range(0, _sets.Length).GroupBy(i => _sets[i].Name).Where(g => g.Count() > 1))
        {
            foreach (int i in same) _sets[i].Name = _sets[i].Prompts.Data ?? _sets[i].Name;
        }
    }

    public static CommandReport Run(PathsOptions o, Terminal terminal, CancellationToken cancellation)
    {
        PathsCommand run = new(o, terminal, cancellation);
        string load = Machine.Describe(Machine.Load(), Environment.ProcessorCount);
        using Device device = ComputeDevice.Open(o, terminal);
        foreach (string model in o.Models) run.Measure(model, device);
        terminal.Progress.Part = "";
        CommandReport report = run.Report(device, load);
        if (o.Out is null) return report;
        PathsRun.Write(o.Out, run._runs);
        report.File("runs", o.Out, $"{Sizes.Of(run._runs.Count, "run")}: {o.Out}");
        return report;
    }

    private void Measure(string model, Device device)
    {
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(ModelLocator.Resolve(model));
        using Gpt2Weights weights = ModelLoading.Load(model, checkpoint, device, _terminal, _cancellation);
        foreach ((string name, PromptRequest set) in _sets)
        {
            List<double> ratios = [];
            Metric? metric = null;
            foreach (int seed in _seeds)
            {
                _terminal.Progress.Part = $"part {++_part} of {_options.Models.Count() * _sets.Length * _seeds.Length}";
                (PromptSet scored, PromptSet judged) = Halves(set, checkpoint, seed);
                metric = scored.Metric;
                foreach (PathsScorer scorer in _scorers)
                    Scoring.RequireScores(scored.Metric, scorer.Options.Method, "leave it out, or take another --metric");

                // What is compiled, recorded or planned once is not counted.
                if (seed == _seeds[0]) Score(name, weights, scored);
                ratios.AddRange(Saturation.Measure(weights, scored, _cancellation));
                Judge(model, name, seed, weights, scored, judged);
            }
            _saturations.Add(new Saturation(model, name, metric!.Name, ratios));
        }
    }

    private SplitPrompts Halves(PromptRequest set, Gpt2Checkpoint checkpoint, int seed)
    {
        bool drawn = set.Data is not null;
        PromptSet prompts = (drawn ? set : set with { Seed = seed }).Load(checkpoint, _terminal, _cancellation);
        PromptPair[] pairs = [.. prompts.Pairs];
        if (pairs.Length < 2) throw new GradpathException($"{prompts.Source}: it takes two prompt pairs or more to score and to judge.");
        if (drawn) new SplitMix64((ulong)seed).Shuffle<PromptPair>(pairs);
        int half = pairs.Length / 2;
        return SplitPrompts.Of(prompts with { Pairs = pairs }, half, pairs.Length - half);
    }

    // Scorers take turns, so that a machine whose speed drifts slows all of them.
    private (EdgeScores Scores, double Seconds)[] Score(string set, Gpt2Weights weights, PromptSet scored) =>
        [.. _scorers.Select(scorer => ScoringProgress.Run(_terminal, $"{set}: {scorer.Name}", progress =>
        {
            var watch = Stopwatch.StartNew();
            EdgeScores scores = EdgeAttribution.Score(weights, scored, scorer.Options, progress, _cancellation);
            _cancellation.ThrowIfCancellationRequested();
            return (scores, watch.Elapsed.TotalSeconds);
        }))];

    private void Judge(string model, string set, int seed, Gpt2Weights weights, PromptSet scored, PromptSet judged)
    {
        (EdgeScores Scores, double Seconds)[] found = Score(set, weights, scored);
        SparsityOptions sizes = new() { Seed = (ulong)seed };
        IReadOnlyList<SparsityCurves> curves = ScoringProgress.Run(_terminal, $"{set}: circuits", progress =>
            SparsityCurves.Measure(weights, judged, [.. found.Select(f => f.Scores)], sizes, progress, _cancellation)).Curves;
        _cancellation.ThrowIfCancellationRequested();
        EdgeScores? exact = !_options.Exact ? null : ScoringProgress.Run(_terminal, $"{set}: exact", progress => EdgeAttribution.Score(
            weights, scored, new AttributionOptions { Method = AttributionMethods.Exact }, progress, _cancellation));
        for (int i = 0; i < _scorers.Length; i++)
        {
            (double pearson, double spearman) = Agreement(found[i].Scores, exact, _scorers[i].Options.Method.HasSign);
            _runs.Add(new PathsRun(
                model, set, judged.Metric.Name, seed, _scorers[i].Name, curves[i].Cmd, curves[i].Cpr,
                curves[i].Cmd / curves[0].Cmd, found[i].Seconds, found[i].Seconds / found[0].Seconds, pearson, spearman));
        }
    }

    private static (double Pearson, double Spearman) Agreement(EdgeScores scores, EdgeScores? exact, bool signed)
    {
        if (exact is null) return (double.NaN, double.NaN);
        double[] x = Values(scores), y = Values(exact);
        return (Correlation.Pearson(x, y), Correlation.Spearman(x, y));

        double[] Values(EdgeScores s) =>
            [.. s.Graph.Edges.Select(e => signed ? s[e.Row, e.Column] : Math.Abs((double)s[e.Row, e.Column]))];
    }

    private CommandReport Report(Device device, string load)
    {
        CommandReport report = new() { Markdown = true };
        string seeds = string.Join(", ", _seeds);
        report.Line($"CMD of the strongest edges by |score|, on pairs that were not scored, over that of {_scorers[0].Name}; "
            + $"geometric means over seeds {seeds}; {device.Description}",
            ("baseline", _scorers[0].Name), ("seeds", _seeds), ("pairs", _options.Pairs), ("device", device.Description));
        report.Line(load, ("load", load));
        report.Plain("");
        PathsSummary[] summaries = [.. _options.Models.SelectMany(model => _scorers.Select(scorer =>
            PathsSummary.Of(model, scorer, [.. _runs.Where(r => r.Model == model && r.Scorer == scorer.Name)])))];
        report.Table(PathsTables.Ratios(summaries, [.. _sets.Select(s => s.Name)]));
        report.Plain("");
        report.Table(PathsTables.Saturations(_saturations));
        if (_options.Exact)
        {
            report.Plain("");
            report.Table(PathsTables.Agreements(_runs, [.. _sets.Select(s => s.Name)]));
            report.Note("Correlation: Pearson's over all edges, and Spearman's, of scores with the effects by exact patching on the same "
                + "pairs; without signs where scores have none; means over seeds.");
        }
        report.Data(PathsTables.Runs(_runs));
        report.Note($"all: the mean over the sets, with Student's {PathsSummary.Confidence:P0} interval over the seeds. Time: of scoring, "
            + "over the baseline's, in turn. Saturation: the norm of the metric's gradient at the token embedding halfway between the "
            + "clean and the corrupted prompt over that at the clean one.");
        return report;
    }
}
