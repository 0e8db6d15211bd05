using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Sweeps.Plan;

namespace Gradpath.Host.Tests;

public sealed class SweepMethodOptionsTests
{
    private static readonly UnitConditions s_unit = new()
    {
        Metric = BuiltInMetrics.ProbabilityDifference,
        Ablation = Ablation.Zero,
        Seed = 3,
        BatchSize = 16,
    };

    [Fact]
    public void Settings_of_scores_are_those_of_the_command_line()
    {
        AttributionOptions o = SweepMethodOptions.Attribution(Method("{name: eap-gp, steps: 7, path-start: clean, path-eta: match}"));
        Assert.Same(AttributionMethods.EapGp, o.Method);
        Assert.Equal(7, o.Steps);
        Assert.Equal(EmbeddingPathStart.Clean, o.EmbeddingPath!.Start);
        Assert.Equal(EmbeddingPathStep.Match, o.EmbeddingPath.Step);
        Assert.Equal((null, null, 0, null), (o.Metric, o.Ablation, o.BatchSize, o.Seed));
    }

    [Fact]
    public void A_method_gets_of_its_unit_what_it_reads()
    {
        AttributionOptions eap = SweepMethodOptions.Attribution(Method("eap"), s_unit);
        Assert.Equal((s_unit.Metric, Ablation.Zero, 16, null), (eap.Metric, eap.Ablation, eap.BatchSize, eap.Seed));
        AttributionOptions random = SweepMethodOptions.Attribution(Method("random"), s_unit);
        Assert.Equal((null, null, 3ul), (random.Metric, random.Ablation, random.Seed));
        AttributionOptions ensemble = SweepMethodOptions.Attribution(Method("{name: ensemble, of: [eap, random]}"), s_unit);
        Assert.Equal((s_unit.Metric, Ablation.Zero, 3ul), (ensemble.Metric, ensemble.Ablation, ensemble.Seed));
        Assert.Equal(["eap", "random"], ensemble.Method.Members.Select(m => m.Name));
    }

    [Fact]
    public void Settings_of_searches_are_those_of_the_command_line()
    {
        SweepMethod method = Method("{name: hap, sparsity: 0.9, steps: 40, node-masks: true, draws: 2, keep: 0.25, scorer: eap-ig}");
        HybridPruningOptions hap = Assert.IsType<HybridPruningOptions>(SweepMethodOptions.Search(method, s_unit));
        Assert.Equal((0.9, 40, true, 2, 0.25), (hap.Sparsity, hap.Steps, hap.NodeMasks, hap.Draws, hap.Share));
        Assert.Equal((Ablation.Zero, 16, 3ul), (hap.Ablation, hap.BatchSize, hap.Seed!.Value));
        Assert.Same(AttributionMethods.EapIg, SweepMethodOptions.Scorer(method));
        SweepMethod pruning = Method("{name: edge-prune, node-masks: false, schedule: logarithmic}");
        EdgePruningOptions edges = Assert.IsType<EdgePruningOptions>(SweepMethodOptions.Search(pruning));
        Assert.Equal((false, TargetSchedule.Logarithmic, 32), (edges.NodeMasks, edges.Schedule, edges.BatchSize));
        Assert.Null(SweepMethodOptions.Scorer(pruning));
        Assert.Same(AttributionMethods.Eap, SweepMethodOptions.Scorer(Method("hap")));
    }

    [Fact]
    public void Acdc_goes_by_kl_or_by_the_unit_s_metric()
    {
        AcdcOptions plain = Assert.IsType<AcdcOptions>(SweepMethodOptions.Search(Method("acdc"), s_unit));
        Assert.Equal((0.01, BuiltInMetrics.KlDivergence, null), (plain.Threshold, plain.Metric, plain.Seed));
        SweepMethod method = Method("{name: acdc, tau: 0.5, objective: metric, absolute: true, order: score}");
        AcdcOptions acdc = Assert.IsType<AcdcOptions>(SweepMethodOptions.Search(method, s_unit));
        Assert.Equal((0.5, s_unit.Metric, true, SenderOrder.Score), (acdc.Threshold, acdc.Metric, acdc.Absolute, acdc.Order));
        Assert.Same(AttributionMethods.Eap, SweepMethodOptions.Scorer(method));
    }

    [Fact]
    public void A_setting_is_read_once_for_all_seeds()
    {
        SweepMethod random = Method("random"), hap = Method("hap");
        Assert.Equal(
            [0ul, 5ul, 0ul], new[] { 0, 5, 0 }.Select(s => SweepMethodOptions.Attribution(random, new() { Seed = s }).Seed!.Value));
        Assert.Equal([1ul, 7ul], new[] { 1, 7 }.Select(s => SweepMethodOptions.Search(hap, new() { Seed = s }).Seed!.Value));
        Assert.Equal(0ul, SweepMethodOptions.Search(hap).Seed);
        AttributionOptions eap = SweepMethodOptions.Attribution(Method("eap"), s_unit);
        Assert.Same(eap, SweepMethodOptions.Attribution(Method("eap"), s_unit with { Seed = 9 }));
    }

    [Fact]
    public void Paths_are_followed_backwards_from_the_logits()
    {
        PathTracingOptions paths = Assert.IsType<PathTracingOptions>(SweepMethodOptions.Search(Method("path-patch"), s_unit));
        Assert.Equal((Ablation.Zero, 16, null), (paths.Ablation, paths.BatchSize, paths.Seed));
        PathTracingOptions defaults = new();
        Assert.Equal((defaults.Rounds, defaults.Threshold, false), (paths.Rounds, paths.Threshold, paths.FreezeMlps));
        ComputationGraph graph = new(2, 2);
        SweepMethod method = Method(
            "{name: path-patch, senders: [heads, input], positions: all, sender-positions: end, freeze-mlps: true, rounds: 2, top-n: 3}");
        PathTracingOptions own = Assert.IsType<PathTracingOptions>(SweepMethodOptions.Search(method, s_unit, graph));
        Assert.Equal(5, own.Senders!.Count);
        Assert.Equal(TokenPositions.All, Assert.Single(own.Receivers!).Positions);
        Assert.Equal(
            (TokenPositions.End, true, 2, null, 3), (own.SenderPositions, own.FreezeMlps, own.Rounds, own.Threshold, own.Top));
        SweepMethod written = Method("{name: path-patch, senders: [input, mlps, heads], positions: end, threshold: 5}");
        var same = (PathTracingOptions)SweepMethodOptions.Search(written, s_unit, graph);
        Assert.Equal(paths with { Threshold = same.Threshold }, same);
        Assert.Equal(0.05, same.Threshold!.Value, 12);
    }

    // The lists of messages name what is accepted, and nothing else.
    [Fact]
    public void A_method_takes_the_options_that_it_reads_and_no_other()
    {
        Dictionary<string, string> samples = new()
        {
            ["of"] = "[eap, relp]",
            ["by"] = "min",
            ["steps"] = "3",
            ["ig-points"] = "right",
            ["preset"] = "saturated",
            ["path-objective"] = "logits-all",
            ["path-norm"] = "item",
            ["path-eta"] = "match",
            ["path-start"] = "clean",
            ["path-direction"] = "gradient",
            ["path-outer"] = "path",
            ["positions"] = "spans",
            ["normalization"] = "item",
        };
        Assert.Equal(SweepMethodOptions.Settings("score").Select(s => s.Name), samples.Keys);
        foreach (AttributionMethod method in AttributionMethods.All)
        {
            foreach ((string option, string value) in samples)
            {
                string yaml = $"{{name: {method}, {option}: {value}}}";
                if (SweepMethodOptions.Reads(method.Name, [], option)) Assert.Equal(method.Name, Method(yaml).Name);
                else Assert.Matches("does not apply to", Assert.Throws<GradpathException>(() => Method(yaml)).Message);
            }
        }
    }

    [Fact]
    public void Every_method_and_search_can_stand_in_a_plan()
    {
        foreach (string name in SweepMethodOptions.Names)
        {
            SweepMethod method = Method(name);
            Assert.Equal(name, method.Name);
            if (method.Verb == SweepMethodOptions.Score) Assert.Equal(name, SweepMethodOptions.Attribution(method).Method.Name);
            else Assert.IsType(CircuitSearches.Find(name).Defaults.GetType(), SweepMethodOptions.Search(method));
        }
    }

    // Whoever gives a verb an option decides here, and in the schema, whether plans have it.
    [Theory]
    [InlineData("score",
        "of by steps ig-points preset path-objective path-norm path-eta path-start path-direction path-outer positions "
        + "normalization")]
    [InlineData("acdc", "tau objective absolute order")]
    [InlineData("path-patch", "senders positions sender-positions freeze-mlps rounds threshold top-n")]
    public void A_plan_has_the_settings_of_a_verb_and_nothing_else_of_it(string verb, string options) =>
        Assert.Equal(options.Split(' '), SweepMethodOptions.Settings(verb).Select(s => s.Name));

    private static SweepMethod Method(string yaml) =>
        Assert.Single(PlanSamples.Read($"models: demo\ntasks: ioi\nmethods: {yaml}\n").Methods);
}
