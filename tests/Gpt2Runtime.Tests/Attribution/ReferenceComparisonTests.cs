using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Xunit.Abstractions;

namespace Gradpath.Gpt2Runtime.Tests.Attribution;

/// <summary>
/// The engine against the float64 reference on random models of odd shapes: edges, nodes and both runs' metrics, every method and option.
/// </summary>
public sealed class ReferenceComparisonTests(ITestOutputHelper output)
{
    private const double Default = 1e-5;

    // A path amplifies rounding; the gradient of nearly certain probabilities is small and starts with more of it.
    private const double AlongPath = 1e-4;
    private const double AlongPathOfProbabilities = 5e-4;

    private static readonly ReferenceAblation[] Ablations = [ReferenceAblation.Patching, ReferenceAblation.Zero,
        ReferenceAblation.MeanPositional];
    private static readonly int[] Steps = [1, 2, 7];

    public static TheoryData<string> Models => OddModel.Names;

    // A gradient of relu jumps: a path that comes near a jump goes another way for a difference in the last bit.
    public static TheoryData<string> SmoothModels =>
    [
        .. ((IEnumerable<object[]>)OddModel.Names).Select(row => (string)row[0])
            .Where(name => !name.Contains("relu", StringComparison.Ordinal)),
    ];

    [Theory]
    [MemberData(nameof(Models))]
    public void Eap_equals_the_reference(string model) => Compare(
        model,
        from metric in BuiltInMetrics.All
        from ablation in Ablations
        select new ReferenceOptions { Method = AttributionMethods.Eap, Metric = metric, Ablation = ablation });

    [Theory]
    [MemberData(nameof(Models))]
    public void Eap_ig_equals_the_reference(string model) => Compare(
        model,
        from metric in BuiltInMetrics.All
        from steps in Steps
        from points in Enum.GetValues<ReferenceIgPoints>()
        select new ReferenceOptions { Method = AttributionMethods.EapIg, Metric = metric, Steps = steps, IgPoints = points });

    [Theory]
    [MemberData(nameof(Models))]
    public void Ceap_equals_the_reference(string model) => Compare(
        model,
        from metric in BuiltInMetrics.All
        from steps in Steps
        from points in Enum.GetValues<ReferenceIgPoints>()
        select new ReferenceOptions { Method = AttributionMethods.Ceap, Metric = metric, Steps = steps, IgPoints = points });

    [Theory]
    [MemberData(nameof(Models))]
    public void Eap_ig_on_activations_equals_the_reference(string model) => Compare(
        model,
        from metric in BuiltInMetrics.All
        from steps in Steps
        from ablation in Ablations
        select new ReferenceOptions { Method = AttributionMethods.EapIgActivations, Metric = metric, Steps = steps, Ablation = ablation });

    [Theory]
    [MemberData(nameof(Models))]
    public void Relp_and_gim_equal_the_reference(string model) => Compare(
        model,
        from method in (AttributionMethod[])[AttributionMethods.Relp, AttributionMethods.Gim]
        from metric in BuiltInMetrics.All
        from ablation in Ablations
        select new ReferenceOptions { Method = method, Metric = metric, Ablation = ablation });

    [Theory]
    [MemberData(nameof(Models))]
    public void Clean_corrupted_information_flow_and_magnitude_equal_the_reference(string model) => Compare(
        model,
        [
            .. BuiltInMetrics.All.Select(m => new ReferenceOptions { Method = AttributionMethods.CleanCorrupted, Metric = m }),
            new ReferenceOptions { Method = AttributionMethods.InformationFlowRoutes },
            new ReferenceOptions { Method = AttributionMethods.Magnitude },
        ]);

    [Theory]
    [MemberData(nameof(Models))]
    public void Exact_patching_of_edges_and_nodes_equals_the_reference(string model) => Compare(
        model,
        from metric in BuiltInMetrics.All
        from ablation in Ablations
        select new ReferenceOptions { Method = AttributionMethods.Exact, Metric = metric, Ablation = ablation });

    [Theory]
    [MemberData(nameof(Models))]
    public void Eap_gp_equals_the_reference(string model)
    {
        var plain = new ReferenceOptions { Method = AttributionMethods.EapGp, Steps = 3 };
        Compare(
            model,
            [
                .. BuiltInMetrics.All.Select(m => plain with { Metric = m }),
                .. Steps.Select(s => plain with { Steps = s, Eta = ReferenceEta.Match }),
                .. Objectives.Select(o => plain with { Objective = o }),
                .. Objectives.Select(o => plain with { Objective = o, Metric = BuiltInMetrics.ProbabilityDifference,
                    Start = ReferenceStart.Corrupted, Eta = ReferenceEta.Match }),
                .. Objectives.Select(
                    o => plain with { Objective = o, Metric = BuiltInMetrics.KlDivergence, Start = ReferenceStart.Corrupted }),
                .. BuiltInMetrics.All.Select(m => plain with { Metric = m, Outer = ReferenceOuter.Path }),
                .. Objectives.Select(o => plain with { Objective = o, Outer = ReferenceOuter.Path, Start = ReferenceStart.Corrupted }),
            ]);
    }

    /// <summary>Every direction with steps by distance, over few and many steps, where caps bind and where they do not.</summary>
    [Theory]
    [MemberData(nameof(SmoothModels))]
    public void Eap_gp_by_distance_equals_the_reference(string model)
    {
        var plain = new ReferenceOptions
        {
            Method = AttributionMethods.EapGp,
            Steps = 3,
            Eta = ReferenceEta.Distance,
            Objective = ReferenceObjective.ResidualFinal,
        };
        ReferenceDirection[] directions = Enum.GetValues<ReferenceDirection>();
        Compare(
            model,
            [
                .. directions.SelectMany(d => Steps.Select(s => plain with { Direction = d, Steps = s })),
                .. directions.Select(d => plain with { Direction = d, Objective = ReferenceObjective.LogitsAll }),
                .. directions.Select(d => plain with { Direction = d, Start = ReferenceStart.Corrupted }),
                .. directions.Select(d => plain with { Direction = d, Start = ReferenceStart.Auto }),
                .. directions.Select(d => plain with { Direction = d, Outer = ReferenceOuter.Path }),
                .. Enum.GetValues<ReferenceStart>().Select(s => plain with { Start = s, Outer = ReferenceOuter.Path }),
                .. directions.Select(d => plain with { Direction = d, Eta = ReferenceEta.Match }),
                .. BuiltInMetrics.All.Select(m => plain with { Direction = ReferenceDirection.Line, Metric = m }),
                .. BuiltInMetrics.All.Select(m =>
                    plain with { Direction = ReferenceDirection.Auto, Start = ReferenceStart.Auto, Metric = m }),
            ]);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void A_norm_over_the_batch_takes_batches_in_file_order(string model)
    {
        var plain = new ReferenceOptions { Method = AttributionMethods.EapGp, Steps = 3, Norm = ReferenceNorm.Batch };
        Compare(
            model,
            [
                plain with { BatchSize = 1 },
                plain with { BatchSize = 2 },
                plain with { BatchSize = 3, Objective = ReferenceObjective.LogitsLast },
                plain with { BatchSize = 5, Eta = ReferenceEta.Match, Outer = ReferenceOuter.Path },
            ]);
    }

    /// <summary>Every rule, with members that have signs and members that have none.</summary>
    [Theory]
    [MemberData(nameof(Models))]
    public void Ensembles_equal_the_reference(string model) => Compare(
        model,
        from members in (AttributionMethod[][])
        [
            [AttributionMethods.Eap, AttributionMethods.EapIg], [AttributionMethods.Exact, AttributionMethods.CleanCorrupted],
            [AttributionMethods.Magnitude, AttributionMethods.AtpStar, AttributionMethods.Eap],
            [AttributionMethods.Magnitude, AttributionMethods.InformationFlowRoutes],
        ]
        from rule in Enum.GetValues<EnsembleRule>()
        select new ReferenceOptions { Method = Ensemble.Of(members, rule), Steps = 3 });

    /// <summary>Whatever stands in the table, a method that is added to it too.</summary>
    [Theory]
    [MemberData(nameof(Models))]
    public void Every_method_equals_the_reference(string model) => Compare(
        model,
        from method in Referenced
        from metric in BuiltInMetrics.All
        from ablation in Ablations
        where (method.HasMetric || metric == BuiltInMetrics.All[0]) && (method.Takes(MethodSettings.Ablation) || ablation == Ablations[0])
        select new ReferenceOptions { Method = method, Metric = metric, Ablation = ablation, Steps = 3 });

    [Theory]
    [MemberData(nameof(Models))]
    public void The_librarys_normalisation_equals_the_reference(string model) => Compare(
        model,
        from method in Referenced
        from size in (int[])[2, 3, 9]
        select new ReferenceOptions { Method = method, Steps = 2, Normalization = ReferenceNormalization.Library, BatchSize = size });

    // Random numbers are nobody's estimate of anything.
    private static IEnumerable<AttributionMethod> Referenced => AttributionMethods.All.Where(m => !m.Takes(MethodSettings.Seed));

    private static IEnumerable<ReferenceObjective> Objectives => Enum.GetValues<ReferenceObjective>();

    private void Compare(string name, IEnumerable<ReferenceOptions> cases)
    {
        using OddModel model = OddModel.Make(name);
        var deviations = new Deviations(output);
        foreach (ReferenceOptions options in cases)
        {
            PromptPair[] pairs = options.Ablation == ReferenceAblation.MeanPositional ? model.Equal : model.Mixed;
            ReferenceScores expected = ReferenceAttribution.Score(model.Reference, pairs, options);
            AttributionResult actual = model.Score(pairs, EngineModels.Options(options));
            double tolerance = options.Method != AttributionMethods.EapGp
                ? EngineModels.Allowed(options.Method, Default, model.Reference.Graph.Edges.Count)
                : options.Objective == ReferenceObjective.ProbabilitiesLast ? AlongPathOfProbabilities : AlongPath;
            deviations.Compare(
                $"{Describe(options)}, edges", expected.Edges.Cast<double>(), Wide(actual.Edges()), tolerance,
                Scale(model, pairs, options));
            if (actual.Nodes().Length == 0) continue;
            deviations.Compare(
                $"{Describe(options)}, nodes", expected.Nodes, Wide(actual.Nodes()), tolerance, Scale(model, pairs, options));
            if (!options.Method.HasMetric) continue;
            ReferenceItem[] items = ReferenceItem.Prepare(model.Reference, pairs, options.Ablation);
            deviations.Compare("clean metric", Metric(items, i => i.Clean, options.Metric), actual.CleanMetric, Default, 1);
            deviations.Compare("corrupted metric", Metric(items, i => i.Corrupted, options.Metric), actual.CorruptedMetric, Default, 1);
        }
        deviations.Check();
    }

    // A distance has its minimum at the clean run: where that is the only point scores are 0 up to rounding, and EAP-IG's show what is
    // large.
    private static double Scale(OddModel model, PromptPair[] pairs, ReferenceOptions options) => !options.Metric.MeasuresDistance
        ? 0
        : ReferenceAttribution.Score(
            model.Reference, pairs, new ReferenceOptions { Method = AttributionMethods.EapIg, Metric = options.Metric, Steps = 2 })
            .Edges.Cast<double>().Max(Math.Abs);

    private static IEnumerable<double> Metric(ReferenceItem[] items, Func<ReferenceItem, ReferenceRun> run, Metric metric) =>
        items.Select(i => ReferenceMetric.Value(metric, run(i).LastLogits, i.Pair, i.Clean.LastLogits));

    private static double[] Wide(float[] values) => Array.ConvertAll(values, v => (double)v);

    private static string Describe(ReferenceOptions o) =>
        $"{o.Method} {o.Metric} steps {o.Steps} {o.IgPoints} {o.Ablation} {o.Objective} {o.Norm} eta {o.Eta} {o.Start} {o.Outer} "
            + $"{o.Normalization} batch {o.BatchSize}";
}
