using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Xunit.Abstractions;

namespace Gradpath.Gpt2Runtime.Tests.Metrics;

/// <summary>Metrics of a program's own, wherever a metric is taken.</summary>
public sealed class CustomMetricTests(ITestOutputHelper output) : IDisposable
{
    private const double Rounding = 1e-5;
    private const double RoundingAlongPath = 1e-4;

    private readonly OddModel _odd = OddModel.Make("head bias");

    // An ensemble's metric is its members'.
    public static TheoryData<string> Methods =>
        [.. AttributionMethods.All.Where(m => m.HasMetric && m.Members.Count == 0).Select(m => m.Name)];

    public void Dispose() => _odd.Dispose();

    [Theory]
    [MemberData(nameof(Methods))]
    public void Scores_are_those_of_the_built_in_metric(string name)
    {
        AttributionMethod method = AttributionMethods.Find(name);
        bool walks = method.Takes(MethodSettings.EmbeddingPath);
        var deviations = new Deviations(output);
        foreach ((Metric own, Metric builtIn) in OwnMetrics.Twins)
        {
            Assert.Equal(method.VanishesFor(builtIn), method.VanishesFor(own));
            if (method.VanishesFor(own)) continue;
            AttributionOptions options = new() { Method = method, Steps = method.Takes(MethodSettings.Steps) ? 3 : null };
            Compare(own, builtIn, options);
            if (!walks) continue;
            EmbeddingPathOptions path = new() { Objective = EmbeddingPathObjective.Metric, Start = EmbeddingPathStart.Corrupted };
            Compare(own, builtIn, options with { EmbeddingPath = path });
            Compare(own, builtIn, options with { RecordPath = true });
        }
        deviations.Check();

        void Compare(Metric own, Metric builtIn, AttributionOptions options)
        {
            AttributionResult expected = _odd.Score(_odd.Mixed, options with { Metric = builtIn });
            AttributionResult actual = _odd.Score(_odd.Mixed, options with { Metric = own });
            double allowed = walks ? RoundingAlongPath : Rounding;
            deviations.Compare($"{own}, edges", Wide(expected.Edges()), Wide(actual.Edges()), allowed);
            deviations.Compare($"{own}, nodes", Wide(expected.Nodes()), Wide(actual.Nodes()), allowed);
            deviations.Compare($"{own}, clean", expected.CleanMetric, actual.CleanMetric, Rounding, 1);
            deviations.Compare($"{own}, corrupted", expected.CorruptedMetric, actual.CorruptedMetric, Rounding, 1);
        }
    }

    [Theory]
    [InlineData(Ablation.Patching)]
    [InlineData(Ablation.Zero)]
    public void Circuits_are_judged_as_by_the_built_in_metric(Ablation ablation)
    {
        EdgeScores scores = _odd.Score(_odd.Mixed, new AttributionOptions()).Scores;
        Circuit[] circuits = [.. new[] { 3, 20, 40 }.Select(n => CircuitSelection.TopEdges(scores, n))];
        var deviations = new Deviations(output);
        foreach ((Metric own, Metric builtIn) in OwnMetrics.Twins)
        {
            CircuitOutcome[] expected = Judge(builtIn), actual = Judge(own);
            deviations.Compare(own.Name, expected.SelectMany(o => o.Metric), actual.SelectMany(o => o.Metric), Rounding, 1);
            Assert.Equal(expected.SelectMany(o => o.Kl), actual.SelectMany(o => o.Kl));
            Assert.Equal(expected.SelectMany(o => o.Accurate), actual.SelectMany(o => o.Accurate));
        }
        deviations.Check();

        CircuitOutcome[] Judge(Metric metric)
        {
            EvaluationOptions options = new() { Metric = metric, Ablation = ablation };
            EvaluationResult result = CircuitEvaluation.Evaluate(_odd.Weights, PromptSet.Of(_odd.Mixed), circuits, options);
            return [result.Full, result.Empty, .. result.Circuits];
        }
    }

    [Fact]
    public void Searches_decide_as_by_the_built_in_metric()
    {
        foreach ((Metric own, Metric builtIn) in OwnMetrics.Twins)
        {
            AcdcResult expected = Search(builtIn), actual = Search(own);
            Assert.Equal(
                expected.Steps.Select(s => (s.Row, s.Column, s.Decision)), actual.Steps.Select(s => (s.Row, s.Column, s.Decision)));
            Assert.InRange(actual.Circuit.EdgeCount, 1, actual.Circuit.Graph.EdgeCount - 1);
            PathEffects wanted = Patch(builtIn), got = Patch(own);
            Assert.Equal(wanted.CleanMetric, got.CleanMetric, 1e-5);
            foreach ((double w, double g) in wanted.Effects[0].Zip(got.Effects[0])) Assert.Equal(w, g, 1e-5);
            Assert.Contains(got.Effects[0], e => Math.Abs(e) > 1e-3);
        }

        AcdcResult Search(Metric metric) => CircuitSearches.Acdc.Search(
            _odd.Weights, PromptSet.Of(_odd.Mixed), new AcdcOptions { Metric = metric, Threshold = 0.01, BatchSize = 2 });

        PathEffects Patch(Metric metric)
        {
            var graph = new ComputationGraph(_odd.Weights.Config);
            PathQuery query = new(
                [.. Enumerable.Range(0, graph.Writers)], [new PathReceiver(graph.LogitsColumn, TokenPositions.End)]);
            return PathPatching.Measure(
                _odd.Weights, PromptSet.Of(_odd.Mixed), [query], new PathPatchingOptions { Metric = metric, BatchSize = 2 });
        }
    }

    [Theory]
    [MemberData(nameof(OddModel.Names), MemberType = typeof(OddModel))]
    public void A_metric_that_nobody_built_in_equals_the_reference(string name)
    {
        using OddModel odd = OddModel.Make(name);
        var deviations = new Deviations(output);
        AttributionMethod[] methods = [AttributionMethods.Eap, AttributionMethods.EapIg, AttributionMethods.Exact];
        foreach (Metric metric in (Metric[])[OwnMetrics.SquaredLogitDifference, OwnMetrics.Margin])
        {
            foreach (AttributionMethod method in methods)
            {
                ReferenceOptions options = new() { Method = method, Metric = metric, Steps = 3 };
                ReferenceScores expected = ReferenceAttribution.Score(odd.Reference, odd.Mixed, options);
                AttributionResult actual = odd.Score(odd.Mixed, EngineModels.Options(options));
                deviations.Compare($"{metric}, {method}", expected.Edges.Cast<double>(), Wide(actual.Edges()), Rounding);
            }
        }
        deviations.Check();
    }

    /// <summary>The functions of these tests, and through them the reference's, by differences of their values.</summary>
    [Fact]
    public void Gradients_are_differences_of_the_values()
    {
        const double Step = 1e-6;
        PromptPair pair = new([0], [1], [2, 4], [0, 1]);
        RealMatrix logits = new(1, 6, [0.5, -1, 1.5, 0.25, 1, -0.5]), clean = new(1, 6, [1, 0, 0.5, -1, 2, 0.75]);
        foreach (Metric metric in OwnMetrics.All.Where(m => ReferenceMetric.All.Any(r => r.Name == m.Name)).Concat(BuiltInMetrics.All))
        {
            RealMatrix gradient = ReferenceMetric.Gradient(metric, logits, pair, clean);
            for (int v = 0; v < logits.Columns; v++)
                Assert.Equal((At(v, Step) - At(v, -Step)) / (2 * Step), gradient[0, v], 1e-7);

            double At(int token, double change)
            {
                RealMatrix moved = new(1, logits.Columns, [.. logits.Data]);
                moved[0, token] += change;
                return ReferenceMetric.Value(metric, moved, pair, clean);
            }
        }
    }

    /// <summary>A distance from the clean logits is nothing in the clean run only if they are those that the function gets.</summary>
    [Theory]
    [MemberData(nameof(Methods))]
    public void The_function_gets_the_clean_runs_logits_its_own_pair_and_zeros_to_write_into(string name)
    {
        AttributionMethod method = AttributionMethods.Find(name);
        var seen = new HashSet<PromptPair>();
        Metric metric = Metric.Of("distance", new MetricTraits { MeasuresDistance = true }, (logits, clean, pair, gradient) =>
        {
            Assert.Equal(_odd.Weights.Config.Vocabulary, logits.Length);
            Assert.Equal(logits.Length, clean.Length);
            Assert.True(gradient.IsEmpty || gradient.Length == logits.Length);
            Assert.False(gradient.ContainsAnyExcept(0));
            seen.Add(pair);
            double value = 0;
            for (int v = 0; v < logits.Length; v++)
            {
                value += (logits[v] - clean[v]) * (logits[v] - clean[v]);
                if (!gradient.IsEmpty) gradient[v] = 2 * (logits[v] - clean[v]);
            }
            return value;
        });
        AttributionResult result = _odd.Score(_odd.Mixed, new AttributionOptions { Method = method, Metric = metric, BatchSize = 2 });
        Assert.All(result.CleanMetric, value => Assert.Equal(0, value));
        Assert.Equal(_odd.Mixed.Select(p => !p.Clean.SequenceEqual(p.Corrupted)), result.CorruptedMetric.Select(value => value > 0));
        Assert.True(seen.SetEquals(_odd.Mixed));
    }

    /// <summary>A run whose memory is planned first: what stands in for logits there is no business of the function's.</summary>
    [Theory]
    [MemberData(nameof(Methods))]
    public void The_function_is_not_called_while_memory_is_planned(string name)
    {
        int calls = 0;
        Metric metric = Metric.Of("spread", new MetricTraits(), (logits, _, _, gradient) =>
        {
            calls++;
            float largest = logits[0], least = logits[0];
            foreach (float z in logits) (largest, least) = (Math.Max(largest, z), Math.Min(least, z));
            return Math.Log(largest - least);
        });
        PromptSet prompts = PromptSet.Of(_odd.Mixed);
        Assert.NotNull(EdgeAttribution.Score(
            _odd.Weights, prompts, new AttributionOptions { Method = AttributionMethods.Find(name), Metric = metric }));
        EvaluationOptions options = new() { Metric = metric };
        Assert.NotNull(CircuitEvaluation.Evaluate(_odd.Weights, prompts, [], options));
        Assert.True(calls > 0);
    }

    [Theory]
    [InlineData(double.NaN, 0, "value of NaN")]
    [InlineData(double.NegativeInfinity, 0, "value of -Infinity")]
    [InlineData(1, float.NaN, "gradient of NaN")]
    [InlineData(1, float.PositiveInfinity, "gradient of Infinity")]
    public void What_is_no_number_ends_the_run_and_is_named(double value, float slope, string found)
    {
        PromptPair bad = _odd.Mixed[3];
        Metric metric = Metric.Of("broken", new MetricTraits(), (_, _, pair, gradient) =>
        {
            if (pair != bad) return 0;
            if (!gradient.IsEmpty) gradient[^1] = slope;
            return value;
        });
        AttributionOptions options = new() { Metric = metric, BatchSize = 2 };
        var error = Assert.Throws<GradpathException>(() => _odd.Score(_odd.Mixed, options));
        Assert.Equal($"item 4 (random 3): the metric broken gives a {found}; it must be a finite number", error.Message);

        // The device is as good as before.
        Assert.NotNull(_odd.Score(_odd.Mixed, new AttributionOptions()));
    }

    [Fact]
    public void What_the_function_throws_ends_the_run()
    {
        Metric metric = Metric.Of("thrower", new MetricTraits(), (_, _, _, _) => throw new NotSupportedException("not today"));
        Assert.Throws<NotSupportedException>(() => _odd.Score(_odd.Mixed, new AttributionOptions { Metric = metric }));
        Assert.NotNull(_odd.Score(_odd.Mixed, new AttributionOptions()));
    }

    [Fact]
    public void Names_are_needed_and_those_of_built_in_metrics_are_taken()
    {
        static double Nothing(ReadOnlySpan<float> logits, ReadOnlySpan<float> clean, PromptPair pair, Span<float> gradient) => 0;
        foreach (string name in (string[])["", " ", "kl", "KL", "Logit_Diff"])
            Assert.Equal("name", Assert.Throws<ArgumentException>(() => Metric.Of(name, new MetricTraits(), Nothing)).ParamName);
        Metric plain = Metric.Of("plain", new MetricTraits(), Nothing);
        Assert.Equal(("plain", "plain", "plain", -1), (plain.Name, plain.Title, plain.Meaning, plain.LossSign));
        Assert.Equal(1, Metric.Of("loss", new MetricTraits { IsLoss = true }, Nothing).LossSign);
        Assert.Equal(1, Metric.Of("distance", new MetricTraits { MeasuresDistance = true }, Nothing).LossSign);
    }

    [Fact]
    public void Answers_are_asked_for_where_the_metric_needs_them()
    {
        PromptPair[] none = [_odd.Mixed[0] with { Answers = [], WrongAnswers = [] }], right = [_odd.Mixed[0] with { WrongAnswers = [] }];
        Assert.NotNull(_odd.Score(none, new AttributionOptions { Metric = OwnMetrics.KlDivergence }));
        Assert.NotNull(_odd.Score(right, new AttributionOptions { Metric = OwnMetrics.Margin }));
        var error = Assert.Throws<GradpathException>(() => _odd.Score(none, new AttributionOptions { Metric = OwnMetrics.Margin }));
        Assert.Equal("item 1 (random 0): there is no answer; the metric margin needs at least one right answer", error.Message);
    }

    [Theory]
    [InlineData("scores.json")]
    [InlineData("scores.safetensors")]
    public void Files_carry_its_name_and_are_read_wherever_it_is_unknown(string name)
    {
        using var folder = new TempFolder();
        EdgeScores scores = _odd.Score(_odd.Mixed, new AttributionOptions { Metric = OwnMetrics.Margin }).Scores;
        scores.Save(folder[name]);
        Assert.False(BuiltInMetrics.TryFind("margin", out _));
        Assert.Equal("margin", EdgeScores.Load(folder[name]).Provenance!.Metric);
    }

    private static IEnumerable<double> Wide(float[] values) => values.Select(v => (double)v);
}
