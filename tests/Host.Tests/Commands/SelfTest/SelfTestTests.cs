using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Host.SelfTest;
using Gradpath.Kernels.Checks;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Host.Tests;

public class SelfTestTests
{
    [Fact]
    public void This_machine_passes() => Cli.Run("selftest", "--device", "cpu").Succeeds("finite differences", "checks passed");

    [Fact]
    public void The_cpu_passes_against_itself() => Cli.Run("selftest", "--against", "cpu", "--threads", "3", "--cases", "4")
        .Succeeds("AttentionBackward, last query only", "circuit evaluation", "compared with: CPU", "checks passed");

    [Fact]
    public void Every_method_is_compared()
    {
        using CpuDevice reference = new(1), device = new(2);
        IReadOnlyList<ComparisonLine> lines = DeviceComparison.Methods(reference, device, null, CancellationToken.None);
        Assert.Equal([.. Enum.GetValues<AttributionMethod>().Select(m => EnumNames.Of(m)), "circuit evaluation"], lines.Select(l => l.Name));
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

    [Theory]
    [InlineData("--against cuda", "--against cpu")]
    [InlineData("--cases 3", "--against cpu")]
    [InlineData("--against cpu --cases 0", "--cases 0")]
    public void Options_that_make_no_sense_are_refused(string options, string mention) =>
        Cli.Run(["selftest", .. options.Split(' ')]).Fails(2, mention);
}
