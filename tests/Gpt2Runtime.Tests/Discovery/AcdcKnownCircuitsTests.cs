using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cpu;
using Xunit.Abstractions;

namespace Gradpath.Gpt2Runtime.Tests.Discovery;

/// <summary>ACDC finds the circuits of models whose weights were set by hand: every edge that matters and no other.</summary>
public sealed class AcdcKnownCircuitsTests(ITestOutputHelper output)
{
    public static TheoryData<string, SenderOrder, string> Cases
    {
        get
        {
            TheoryData<string, SenderOrder, string> cases = [];
            foreach (string name in new[] { "induction", "backup", "negative" })
            {
                foreach (SenderOrder order in Enum.GetValues<SenderOrder>())
                {
                    cases.Add(name, order, BuiltInMetrics.KlDivergence.Name);
                    cases.Add(name, order, BuiltInMetrics.LogitDifference.Name);
                }
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void It_finds_exactly_the_known_edges(string name, SenderOrder order, string objectiveName)
    {
        Metric objective = BuiltInMetrics.Find(objectiveName);
        // The absolute change: a negative head's edges make the logit difference smaller, and belong to the circuit.
        AcdcResult result = Search(name, new AcdcOptions
        {
            Metric = objective,
            Order = order,
            Absolute = objective != BuiltInMetrics.KlDivergence
        }, objective == BuiltInMetrics.KlDivergence ? 0.01
            : 0.1 * HandSetModel.LogitScale);
        Assert.Equal(Names(KnownCircuits.Make(name).Circuit()), Names(result.Circuit));
    }

    [Fact]
    public void A_negative_head_stays_by_the_size_of_the_change_only()
    {
        AcdcOptions options = new() { Metric = BuiltInMetrics.LogitDifference };
        double tau = 0.1 * HandSetModel.LogitScale;
        Assert.DoesNotContain("a1.h1->logits", Names(Search("negative", options, tau).Circuit));
        Assert.Contains("a1.h1->logits", Names(Search("negative", options with { Absolute = true }, tau).Circuit));
    }

    private AcdcResult Search(string name, AcdcOptions options, double tau)
    {
        KnownCircuit known = KnownCircuits.Make(name);
        using var device = new CpuDevice(2);
        using Gpt2Weights weights = EngineModels.Weights(known.Model, device);
        if (options.Order == SenderOrder.Score)
        {
            var exact = new AttributionOptions { Method = AttributionMethods.Exact };
            options = options with { Scores = EdgeAttribution.Score(weights, PromptSet.Of(known.Pairs), exact) };
        }
        AcdcResult result = CircuitSearches.Acdc.Search(weights, PromptSet.Of(known.Pairs), options with { Threshold = tau });
        foreach (AcdcStep s in result.Steps.Where(s => s.Decision != AcdcDecision.Dropped && Math.Abs(s.After - s.Before) > tau / 20))
            output.WriteLine($"{known.Graph.EdgeName(s.Row, s.Column)} {s.Before:G4} {s.After:G4} {s.Decision}");
        return result;
    }

    private static string[] Names(Circuit circuit) =>
        [.. circuit.Edges.Select(e => circuit.Graph.EdgeName(e.Row, e.Column)).Order(StringComparer.Ordinal)];
}
