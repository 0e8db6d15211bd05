using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cpu;
using Xunit.Abstractions;

namespace Gradpath.Gpt2Runtime.Tests.Attribution;

/// <summary>
/// The engine against the library's output on the earlier fixture: an untied unembedding with bias, unequal lengths in a batch.
/// </summary>
public sealed class TinyFixtureTests(ITestOutputHelper output)
{
    private const double Tolerance = 1e-5;

    [Fact]
    public void Edge_scores_equal_the_fixture()
    {
        TinyFixture fixture = TinyFixture.Read();
        var deviations = new Deviations(output);
        foreach ((string name, double[,] expected) in fixture.EdgeScores)
        {
            // Its metric is not the loss.
            if (name.StartsWith("exact", StringComparison.Ordinal)) Reference.TinyFixtureTests.Negate(expected);
            for (int i = 0; i < expected.Length; i++)
            {
                // The library's 0/0 makes a column NaN; here such a position counts nothing.
                if (double.IsNaN(expected[i / expected.GetLength(1), i % expected.GetLength(1)]))
                    Assert.StartsWith("information", name, StringComparison.Ordinal);
            }
            double error = EngineModels.RelativeError(Score(fixture, name).Edges(), expected);
            deviations.Compare(name, [0], [error], Tolerance, 1);
        }
        deviations.Check();
    }

    [Fact]
    public void Node_scores_equal_the_fixture_but_for_mlps_whose_gradient_it_took_elsewhere()
    {
        TinyFixture fixture = TinyFixture.Read();
        int[] rows = [.. Enumerable.Range(0, fixture.Writers.Length).Where(u => !fixture.Writers[u].StartsWith('m'))];
        var deviations = new Deviations(output);
        foreach ((string name, double[] expected) in fixture.NodeScores)
        {
            float[] actual = Score(fixture, name).Nodes();
            deviations.Compare(name, rows.Select(u => expected[u]), rows.Select(u => (double)actual[u]), Tolerance);
        }
        deviations.Check();
    }

    [Fact]
    public void Both_runs_metrics_equal_the_fixture()
    {
        TinyFixture fixture = TinyFixture.Read();
        AttributionResult result = Score(fixture, "EAP");
        var deviations = new Deviations(output);
        deviations.Compare("clean", fixture.CleanLogitDiff, result.CleanMetric, Tolerance);
        deviations.Compare("corrupted", fixture.CorruptedLogitDiff, result.CorruptedMetric, Tolerance);
        deviations.Check();
    }

    private static AttributionResult Score(TinyFixture fixture, string name)
    {
        using var device = new CpuDevice(2);
        using Gpt2Weights weights = EngineModels.Weights(fixture.Model, device);
        return EdgeAttribution.Run(weights, PromptSet.Of(fixture.Pairs), EngineModels.Options(Reference.TinyFixtureTests.Options(name)));
    }
}
