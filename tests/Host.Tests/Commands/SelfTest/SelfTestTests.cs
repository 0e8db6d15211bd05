using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator;

namespace Gradpath.Host.Tests;

public sealed class SelfTestTests
{
    [Fact]
    public void This_machine_passes() => Cli.Run("selftest", "--device", "cpu").Succeeds("finite differences", "checks passed");

    [Fact]
    public void The_cpu_passes_against_itself() => Cli.Run("selftest", "--against", "cpu", "--threads", "3", "--cases", "4")
        .Succeeds("AttentionBackward, last query only", "circuit evaluation", "compared with: CPU", "checks passed");

    [Theory]
    [InlineData("--against cuda", "--against cpu")]
    [InlineData("--cases 3", "--against cpu")]
    [InlineData("--against cpu --cases 0", "--cases 0")]
    [InlineData("--stages op", "--stages op: no such value; did you mean ops?")]
    [InlineData("--device cpu --stages ops", "--stages ops: cpu has no such stage; add --against cpu.")]
    [InlineData("--device cpu --against cpu --stages graphs", "--stages graphs: cpu has no such stage; it needs a GPU.")]
    [InlineData("--device cpu --only Gemm", "--only Gemm: no check of identities begins so.")]
    [InlineData("--shape smal", "--shape smal: no such shape; did you mean small?")]
    [InlineData("--device cpu --shape tiny", "--shape tiny: cpu has no stage gpt2; add --against cpu.")]
    [InlineData("--against cpu --stages ops --shape tiny", "--shape tiny is for the stage gpt2; add it to --stages.")]
    [InlineData("--device cpu --stages gpt2", "--stages gpt2: cpu has no such stage; add --against cpu.")]
    [InlineData("--write-scores /dev/null --stages gpt2", "--stages and --write-scores do not go together")]
    [InlineData("--write-scores /dev/null --device cuda", "--device and --write-scores do not go together")]
    public void Options_that_make_no_sense_are_refused(string options, string mention) =>
        Cli.Run(["selftest", .. options.Split(' ')]).Fails(2, mention);

    [Fact]
    public void The_CPU_agrees_with_its_own_scores_from_a_file()
    {
        using TempFolder folder = new();
        string file = folder["scores.safetensors"];
        Cli.Run("selftest", "--write-scores", file, "--shape", "tiny").Succeeds("shape: tiny, eap, eap-ig, eap-gp, 75 edges");
        Cli.Run("selftest", "--device", "cpu", "--scores", file, "--stages", "gpt2")
            .Succeeds($"scores of the CPU: {file}, CPU", "gpt2 eap-ig", "18 of 18", "all 3 checks passed");
        Cli.Run("selftest", "--device", "cpu", "--scores", file, "--shape", "small")
            .Fails(2, "--shape small: ", "has scores of the shape tiny; leave --shape out");
        byte[] bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);
        Cli.Run("selftest", "--device", "cpu", "--scores", file).Fails(1, "scores.safetensors: is damaged", "--write-scores");
    }

    [Fact]
    public void An_emulator_leaves_out_what_takes_hours_and_says_so()
    {
        using EmulatedDriver driver = new(new EmulatorOptions { Races = false });
        CudaDrivers.Replace(() => driver);
        try
        {
            Cli run = Cli.StoppedWhen(p => p.Stage.Length > 0, "selftest", "--device", "cuda", "--cases", "1");
            Assert.Contains("left out: gpt2, which takes hours on an emulator; --stages gpt2 does it", run.Out, StringComparison.Ordinal);
        }
        finally
        {
            CudaDrivers.Replace(null);
        }
    }
}
