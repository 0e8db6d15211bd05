using System.Text.Json;

namespace Gradpath.Host.Tests;

[Trait("About", "speed")]
public sealed class BenchTests
{
    [Fact]
    public void Measurements_are_printed_and_written()
    {
        using TempFolder folder = new();
        Cli.Run("bench", "--quick", "--only", "Fill,SequenceDots", "--out", folder["bench.json"]).Succeeds(
            "copy rate", "FMA rate", "800 x 768", "4 measurements");
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(folder["bench.json"]));
        JsonElement machine = json.RootElement.GetProperty("machine"), lines = json.RootElement.GetProperty("measurements");
        Assert.StartsWith("CPU", machine.GetProperty("device").GetString(), StringComparison.Ordinal);
        Assert.Equal(Environment.ProcessorCount, machine.GetProperty("cores").GetInt32());
        Assert.NotEmpty(machine.GetProperty("version").GetString()!);
        Assert.True(DateTime.UtcNow - machine.GetProperty("created").GetDateTime() < TimeSpan.FromHours(1));
        Assert.Equal(["copy rate", "FMA rate", "Fill", "SequenceDots"],
            lines.EnumerateArray().Select(l => l.GetProperty("name").GetString()));
        JsonElement fill = lines[2];
        Assert.Equal("cpu", fill.GetProperty("device").GetString());
        Assert.Equal(800 * 768 * 4, fill.GetProperty("bytes").GetDouble());
        Assert.Equal(0, fill.GetProperty("flops").GetDouble());
        double copyRate = lines[0].GetProperty("bytes").GetDouble() / lines[0].GetProperty("seconds").GetDouble();
        Assert.Equal(
            800 * 768 * 4 / copyRate / fill.GetProperty("seconds").GetDouble(), fill.GetProperty("share_of_limit").GetDouble(), 1e-9);
    }

    [Theory]
    [InlineData("--only Nothing", "--only Nothing")]
    [InlineData("--out /nowhere/bench.json", "/nowhere")]
    [InlineData("--device warp", "warp")]
    public void Options_that_make_no_sense_are_refused(string options, string mention) =>
        Cli.Run(["bench", "--quick", .. options.Split(' ')]).Fails(2, mention);
}
