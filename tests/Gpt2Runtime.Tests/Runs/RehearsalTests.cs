using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Tests.Runs;

/// <summary>A run never takes more memory than it was planned to: what is let run within a budget stays within it.</summary>
public sealed class RehearsalTests
{
    public static TheoryData<string, string, Ablation> Methods
    {
        get
        {
            TheoryData<string, string, Ablation> cases = [];
            foreach (string model in (string[])["one head", "relu, unscaled attention", "untied, erf", "head bias"])
            {
                foreach (AttributionMethod method in AttributionMethods.All)
                {
                    cases.Add(model, method.Name, Ablation.Patching);
                    if (method.Takes(MethodSettings.Ablation)) cases.Add(model, method.Name, Ablation.Zero);
                }
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void A_method_takes_no_more_than_was_planned(string name, string method, Ablation ablation)
    {
        using OddModel model = OddModel.Make(name);
        AttributionMethod row = AttributionMethods.Find(method);
        foreach (Metric metric in row.HasMetric ? BuiltInMetrics.All : [BuiltInMetrics.LogitDifference])
        {
            foreach (int batch in (int[])[0, 2])
            {
                var options = new AttributionOptions
                {
                    Method = row,
                    Metric = row.HasMetric ? metric : null,
                    Ablation = row.Takes(MethodSettings.Ablation) ? ablation : null,
                    BatchSize = batch,
                };
                if (row.VanishesFor(metric)) continue;
                AttributionResult result = model.Score(model.Mixed, options);
                Assert.InRange(result.PeakDeviceBytes - model.Device.AllocatedBytes, 0, result.Plan.PlannedBytes);
            }
        }
    }

    [Theory]
    [MemberData(nameof(OddModel.Names), MemberType = typeof(OddModel))]
    public void An_evaluation_takes_no_more_than_was_planned(string name)
    {
        using OddModel model = OddModel.Make(name);
        var graph = new ComputationGraph(model.Weights.Config);
        Circuit[] circuits = [.. Enumerable.Range(0, 5).Select(seed => Draw(graph, seed))];
        foreach (Ablation ablation in (Ablation[])[Ablation.Patching, Ablation.Zero])
        {
            foreach (Metric metric in BuiltInMetrics.All)
            {
                var options = new EvaluationOptions { Metric = metric, Ablation = ablation };
                EvaluationResult result = CircuitEvaluation.Evaluate(model.Weights, PromptSet.Of(model.Mixed), circuits, options);
                Assert.InRange(result.PeakDeviceBytes - model.Device.AllocatedBytes, 0, result.Plan.PlannedBytes);
            }
        }
    }

    public static TheoryData<string, string> Searches
    {
        get
        {
            TheoryData<string, string> cases = [];
            foreach (string model in (string[])["one head", "untied, erf"])
            {
                foreach (CircuitSearch search in CircuitSearches.All) cases.Add(model, search.Name);
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Searches))]
    public void A_search_that_is_let_run_stays_within_the_budget(string name, string search)
    {
        using OddModel model = OddModel.Make(name);
        long weights = model.Device.AllocatedBytes;
        SearchOptions options = search switch
        {
            "acdc" => new AcdcOptions { Threshold = 0.01 },
            "edge-prune" => new EdgePruningOptions { Sparsity = 0.5, Steps = 6, BatchSize = 2 },
            "hap" => new HybridPruningOptions
            {
                Sparsity = 0.6,
                Steps = 6,
                BatchSize = 2,
                Share = 0.8,
                Scorer = AttributionMethods.Eap.Scorer(new AttributionOptions()),
            },
            "path-patch" => new PathTracingOptions(),
            _ => throw new NotSupportedException($"add options of {search} to this test"),
        };

        // The least budget with which the search is not refused.
        long refused = 0, allowed = Run(null)!.Value * 8;
        while (allowed - refused > 64)
        {
            long middle = refused + ((allowed - refused) / 2);
            if (Run(middle) is { } used)
            {
                Assert.InRange(used, 0, middle);
                allowed = middle;
            }
            else
            {
                refused = middle;
            }
        }
        Assert.True(refused > 0);

        long? Run(long? budget)
        {
            model.Device.MemoryBudget = budget;
            try
            {
                return CircuitSearches.Find(search).Search(model.Weights, PromptSet.Of(model.Mixed), options).PeakDeviceBytes - weights;
            }
            catch (GradpathException e) when (budget is not null && e.Message.Contains("iB", StringComparison.Ordinal))
            {
                return null;
            }
        }
    }

    private static Circuit Draw(ComputationGraph graph, int seed)
    {
        var random = new Random(seed);
        var kept = new bool[graph.Writers * graph.Readers];
        for (int row = 0; row < graph.Writers; row++)
        {
            for (int column = 0; column < graph.Readers; column++)
                kept[(row * graph.Readers) + column] = graph.IsEdge(row, column) && random.NextDouble() < 0.2 * (seed + 1);
        }
        return new Circuit(graph, kept);
    }
}
