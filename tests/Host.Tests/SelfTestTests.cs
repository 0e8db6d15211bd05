namespace Gradpath.Host.Tests;

public class SelfTestTests
{
    [Fact]
    public void This_machine_passes() => Cli.Run("selftest", "--device", "cpu").Succeeds("finite differences", "checks passed");
}
