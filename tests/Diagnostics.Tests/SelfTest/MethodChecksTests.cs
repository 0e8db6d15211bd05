using Gradpath.Diagnostics.Ops;
using Gradpath.Diagnostics.SelfTest;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Gradpath.Kernels.Cuda;
using Gradpath.PtxEmulator;

namespace Gradpath.Diagnostics.Tests.SelfTest;

public sealed class MethodChecksTests
{
    [Fact]
    public void Every_method_is_compared()
    {
        using CpuDevice reference = new(1);
        using TestedDevice tested = new(() => new CpuDevice(2));
        using SelfTestRun run = new(tested, reference, CancellationToken.None);
        IReadOnlyList<ComparisonLine> lines = SelfTestStages.Methods.Run(run);
        IEnumerable<string> methods = AttributionMethods.All.Where(m => m.Members.Count == 0).Select(m => m.Name);
        Assert.Equal([.. methods, "circuit evaluation"], lines.Select(l => l.Name));
        Assert.All(lines, l => Assert.Null(l.Fault));
    }

    /// <summary>What is allowed leaves room for another order of additions: here every embedding is off by its last bit or not.</summary>
    [Fact]
    public void Rounding_is_allowed()
    {
        using CpuDevice device = new(1);
        using SelfTestModel model = new(device, CancellationToken.None), rounded = new(device, CancellationToken.None);
        Random random = new(2);
        float[] embedding = Array.ConvertAll(model.Weights.TokenEmbedding.ToArray(), e => random.Next(2) == 0 ? e : MathF.BitIncrement(e));
        device.Upload<float>(embedding, rounded.Weights.TokenEmbedding);
        foreach (MethodCheck check in MethodChecks.All.Where(c => c.Name != "random"))
        {
            double largest = check.Variants.Max(run => OpComparison.Compare(run(model), run(rounded)).Error);
            Assert.InRange(largest, 1e-9, check.Allowed / 10);
        }
    }

    /// <summary>Two different models in the two devices' place.</summary>
    [Fact]
    public void A_method_that_differs_fails()
    {
        using CpuDevice device = new(1);
        using SelfTestModel model = new(device, CancellationToken.None);
        float[] gain = model.Weights.FinalGain.ToArray();
        foreach (MethodCheck check in MethodChecks.All.Where(c => c.Name is "eap" or "circuit evaluation"))
        {
            device.Upload<float>(gain, model.Weights.FinalGain);
            double[][] before = check.Variants[0](model);
            device.Upload<float>([gain[0] * 1.01f, .. gain[1..]], model.Weights.FinalGain);
            Assert.True(OpComparison.Compare(before, check.Variants[0](model)).Error > check.Allowed);
        }
    }

    /// <summary>
    /// Rounded factors pass with what is allowed for them, would not with less, and what is allowed would still see a wrong result.
    /// </summary>
    [Theory]
    [InlineData(MatrixPrecision.Tf32, 0.13)]
    [InlineData(MatrixPrecision.BFloat16, 0.51)]
    public void Selftest_allows_what_the_precision_explains(MatrixPrecision precision, double most)
    {
        using CpuDevice cpu = new(1);
        using CudaDevice device = new(
            new EmulatedDriver(new EmulatorOptions { Races = false }), 0, new CudaOptions { Precision = precision });
        foreach (OpCheck check in OpCatalog.Checks.Where(c => c.Magnitudes is not null))
        {
            OpOutcome outcome = OpComparison.Run(check, cpu, device, OpCatalog.Seeds(4, 0));
            Assert.True(outcome.Passed, outcome.Fault);
            Assert.Equal(check.Allowed + OpComparison.FactorRounding(precision), outcome.Allowed);
        }
        OpCheck product = OpCatalog.Checks.Single(c => c.Op == "Gemm, accumulating with a bias");
        Assert.True(
            OpComparison.Run(product, cpu, device, OpCatalog.Seeds(8, 1)).LargestError > OpComparison.FactorRounding(precision) / 20);

        using SelfTestModel trusted = new(cpu, default), tested = new(device, default);
        foreach (IdentityCheck check in IdentityChecks.All) Assert.InRange(check.Measure(tested), 0, check.AllowedAt(precision));
        string[] names = ["eap", "eap-ig", "eap-gp", "circuit evaluation", "random"];
        foreach (MethodCheck check in MethodChecks.All.Where(c => names.Contains(c.Name)))
        {
            double allowed = check.AllowedAt(precision);
            Assert.InRange(
                OpComparison.Compare(check.Variants[0](trusted), check.Variants[0](tested)).Error,
                check.Name == "random" ? 0 : check.Allowed,
                allowed);
            Assert.InRange(allowed, 0, most);
        }
    }
}
