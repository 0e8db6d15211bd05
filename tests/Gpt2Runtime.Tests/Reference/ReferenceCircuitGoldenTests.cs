using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Xunit.Abstractions;

namespace Gradpath.Gpt2Runtime.Tests.Reference;

/// <summary>
/// The reference evaluates every golden circuit to the golden numbers. Under patching also before pruning, which must not matter;
/// under the other ablations as pruned.
/// </summary>
public sealed class ReferenceCircuitGoldenTests(ITestOutputHelper output)
{
    private const double Tolerance = 1e-9;

    public static TheoryData<string> Sets => [.. GoldenSet.Names];

    [Theory]
    [MemberData(nameof(Sets))]
    public void Circuits_evaluate_to_the_goldens(string set)
    {
        GoldenSet goldens = GoldenSet.Read(set);
        ReferenceModel model = ReferenceCheckpoint.Load(goldens.ModelDirectory);
        GoldenCircuits circuits = goldens.Circuits;
        Deviations deviations = new(output);
        Dictionary<string, ReferenceItem[]> prepared = new(StringComparer.Ordinal);

        void Compare(string name, string intervention, IEnumerable<string> edges, GoldenEvaluation expected)
        {
            if (!prepared.TryGetValue(intervention, out ReferenceItem[]? items))
            {
                prepared[intervention] = items = ReferenceItem.Prepare(model, goldens.Pairs, ReferenceKeys.Ablation(intervention));
            }
            ReferenceCircuit actual = ReferenceCircuit.Evaluate(model, items, model.Graph.Circuit(edges.Select(model.Graph.Edge)));
            deviations.Compare(
                $"{name}, logit_diff", expected.LogitDiff, actual.Metric(BuiltInMetrics.LogitDifference), Tolerance, scale: 1);
            deviations.Compare($"{name}, kl", expected.Kl, actual.Metric(BuiltInMetrics.KlDivergence), Tolerance, scale: 1);
        }

        Compare("full circuit", "patching", model.Graph.Edges.Select(model.Graph.EdgeName), circuits.Full);
        Compare("empty circuit", "patching", [], circuits.Empty);
        foreach (GoldenCircuit circuit in circuits.Circuits)
        {
            Compare("before pruning", circuit.Intervention, circuit.BeforePrune, circuit.Evaluation);
            Compare("after pruning", circuit.Intervention, circuit.AfterPrune, circuit.Evaluation);
        }
        foreach (GoldenCircuit circuit in circuits.Interventions)
        {
            Compare(circuit.Intervention, circuit.Intervention, circuit.AfterPrune, circuit.Evaluation);
        }
        deviations.Check();
    }
}
