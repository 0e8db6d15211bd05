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
    [InlineData("--device cpu --against cpu --stages graphs", "--stages graphs: cpu has no such stage.")]
    [InlineData("--device cpu --only Gemm", "--only Gemm: no check of identities begins so.")]
    public void Options_that_make_no_sense_are_refused(string options, string mention) =>
        Cli.Run(["selftest", .. options.Split(' ')]).Fails(2, mention);
}
