using System.Globalization;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cpu;
using Xunit.Abstractions;

namespace Gradpath.Gpt2Runtime.Tests.Attribution;

/// <summary>
/// Every golden score of every set against the engine in float32: the outputs of the EAP-IG library and of the independent
/// implementations beside it.
/// </summary>
public sealed class GoldenScoreTests(ITestOutputHelper output)
{
    private const double Default = 1e-5;

    [Theory]
    [InlineData("tiny-random/equal")]
    [InlineData("tiny-random/padded")]
    [InlineData("nano-sort/sort_k2")]
    public void Scores_equal_the_goldens(string name)
    {
        GoldenSet set = GoldenSet.Read(name);
        using var device = new CpuDevice(2);
        ReferenceModel stored = ReferenceCheckpoint.Load(set.ModelDirectory);
        var failures = new List<string>();
        foreach (GoldenScores golden in set.Scores)
        {
            if (Tolerance(golden.Key, name) is not { } tolerance)
            {
                output.WriteLine($"| {name} | {golden.Key} | beyond float32 | |");
                continue;
            }
            ReferenceOptions options = ReferenceKeys.Options(golden.Key);
            using Gpt2Weights weights = EngineModels.Weights(ReferenceKeys.Model(golden.Key, stored), device);
            AttributionResult result = EdgeAttribution.Run(weights, PromptSet.Of(set.Pairs), EngineModels.Options(options));

            // KL has its minimum at the clean run: EAP's scores there are 0 up to rounding, so they are compared with EAP-IG's.
            double scale = golden.Key is { Method: "EAP", Metric: "kl" }
                ? golden.Largest / set.Score(golden.Key.Text.Replace("EAP/", "EAP-IG-inputs/", StringComparison.Ordinal)).Largest
                : 1;
            double error = EngineModels.RelativeError(result.Edges(), golden.Matrix) * scale;
            output.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"| {name} | {golden.Key} | {error:0.0e+0} | {tolerance:0.0e+0} |"));
            if (!(error <= tolerance)) failures.Add($"{golden.Key}: {error:0.0e+0} > {tolerance:0.0e+0}");
        }
        Assert.True(failures.Count == 0, string.Join('\n', failures));
    }

    // What float32 can reach along a path that amplifies rounding; probs-last on a saturated model is compared in the float64 reference
    // only.
    private static double? Tolerance(GoldenKey key, string set)
    {
        if (!key.Method.StartsWith("EAP-GP", StringComparison.Ordinal)) return Default;
        if (key.Option("objective", "logits_all") == "probs_last" && set.StartsWith("nano-sort", StringComparison.Ordinal)) return null;
        bool variant = key.Options.Keys.Any(k => k != "k");
        return variant ? 1e-4 : key.Option("k", "5") == "10" ? 2e-4 : Default;
    }
}
