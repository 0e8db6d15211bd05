using System.Globalization;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;
using Xunit.Abstractions;

namespace Gradpath.Cuda.Tests;

/// <summary>Scores on the emulated GPU against the EAP-IG library's and those of the independent implementations.</summary>
public sealed class ScoreTests(ITestOutputHelper output)
{
    // Each method but exact, which takes its time here (DeviceAgreementTests have it), and each variant once; the metrics and the padded
    // prompts where they take another way through the device.
    private static readonly string[] Equal =
    [
        "EAP/logit_diff/library_bs10", "EAP-IG-inputs/logit_diff/per_item_mean", "EAP-IG-inputs/kl/per_item_mean",
        "EAP-IG-activations/logit_diff/per_item_mean",
        "clean-corrupted/kl/per_item_mean", "information-flow-routes/none/per_item_mean", "EAP-GP[k=5]/logit_diff/per_item_mean",
        "EAP-GP[k=5,objective=probs_last]/logit_diff/per_item_mean", "EAP-GP[k=5,objective=metric]/logit_diff/per_item_mean",
        "EAP-GP[k=5,eta=match,outer=path]/logit_diff/per_item_mean",
        "EAP-GP[k=5,objective=logits_last,start=corrupted,eta=match]/logit_diff/per_item_mean",
        "EAP[intervention=zero]/logit_diff/per_item_mean", "EAP[intervention=mean-positional]/logit_diff/per_item_mean",
    ];

    private static readonly string[] Padded =
    [
        "EAP-IG-inputs/logit_diff/per_item_mean", "EAP-GP[k=5]/logit_diff/per_item_mean", "information-flow-routes/none/per_item_mean",
        "EAP-GP[k=5,objective=residual_final_last]/logit_diff/per_item_mean",
    ];

    public static TheoryData<string, string> Cases
    {
        get
        {
            TheoryData<string, string> cases = [];
            foreach (string key in Equal) cases.Add("tiny-random/equal", key);
            foreach (string key in Padded) cases.Add("tiny-random/padded", key);
            return cases;
        }
    }

    /// <summary>
    /// Every product but groups' by a tile of three products of halves or of TF32, which the planner takes for large ones alone.
    /// </summary>
    [SkippableTheory]
    [InlineData(MatrixProvider.Fp16x3, "EAP-IG-inputs/logit_diff/per_item_mean")]
    [InlineData(MatrixProvider.Fp16x3, "EAP-GP[k=5]/logit_diff/per_item_mean")]
    [InlineData(MatrixProvider.Tf32x3, "EAP-IG-inputs/logit_diff/per_item_mean")]
    public void Scores_by_tiles_of_tensor_cores_equal_the_goldens(MatrixProvider products, string key)
    {
        GoldenSet goldens = GoldenSet.Read("tiny-random/equal");
        GoldenScores golden = goldens.Score(key);
        using EmulatedGpu gpu = new(new CudaOptions { CacheMemory = false, TensorCores = true, TensorProducts = products });
        gpu.Device.ForcedPlan = shape => GemmPlan.Split(
            GemmTile.Of(gpu.Device.Arithmetic).ToArray().Single(t => t.Name == "64x64"), shape.K, 1);
        ReferenceModel stored = ReferenceCheckpoint.Load(goldens.ModelDirectory);
        using Gpt2Weights weights = EngineModels.Weights(ReferenceKeys.Model(golden.Key, stored), gpu.Device);
        AttributionResult result = EdgeAttribution.Run(
            weights, PromptSet.Of(goldens.Pairs), EngineModels.Options(ReferenceKeys.Options(golden.Key)));
        Assert.InRange(EngineModels.RelativeError(result.Edges(), golden.Matrix), 0, 1e-5);
        Assert.Superset(new HashSet<string>([$"gemm{products}Nn64x64", $"gemm{products}Nt64x64"]), gpu.Driver.Launched);
        Assert.DoesNotContain("gemmPlain", gpu.Driver.Launched);
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Scores_equal_the_goldens(string set, string key)
    {
        GoldenSet goldens = GoldenSet.Read(set);
        GoldenScores golden = goldens.Score(key);
        using EmulatedGpu gpu = new();
        ReferenceModel stored = ReferenceCheckpoint.Load(goldens.ModelDirectory);
        using (Gpt2Weights weights = EngineModels.Weights(ReferenceKeys.Model(golden.Key, stored), gpu.Device))
        {
            AttributionResult result = EdgeAttribution.Run(
                weights, PromptSet.Of(goldens.Pairs), EngineModels.Options(ReferenceKeys.Options(golden.Key)));
            double error = EngineModels.RelativeError(result.Edges(), golden.Matrix);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{error:0.0e+0}"));
            Assert.InRange(error, 0, golden.Key.Options.Keys.Any(k => k is not ("k" or "intervention")) ? 1e-4 : 1e-5);
        }
        gpu.Device.Dispose();
        Assert.Empty(gpu.Driver.Live);
    }
}
