using System.Text.Json;

namespace Gradpath.Perf.Tests;

public sealed class RunTests
{
    private static readonly string[] s_fields =
    [
        "work", "shape", "device", "seconds", "floor_seconds", "ratio_to_floor", "baseline", "ratio_to_baseline", "peak_bytes",
        "allocated_bytes_per_pass",
    ];

    [Fact]
    public void The_table_and_the_json_have_every_work()
    {
        using TempFolder folder = new();
        string output = PerfCli.Succeeds(
            $"run --shape tiny --quick --no-baseline --device cpu --threads 1 --out {folder["run.json"]}",
            "| work | shape | ours, s | baseline |", "| W1 | EAP-IG, 5 points, tiny |", "none measured",
            "floor: flops that no saving avoids at", "load average", "W4 is a sample", "W7 is a sample");
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(folder["run.json"]));
        JsonElement[] lines = [.. json.RootElement.EnumerateArray()];
        Assert.Equal(["W1", "W2", "W3", "W4", "W6", "W7"], lines.Select(l => l.GetProperty("work").GetString()));
        foreach (JsonElement line in lines)
        {
            double Number(string name) => line.GetProperty(name).GetDouble();
            Assert.Equal(s_fields, line.EnumerateObject().Select(p => p.Name));
            Assert.Contains("tiny", line.GetProperty("shape").GetString(), StringComparison.Ordinal);
            Assert.Equal("cpu", line.GetProperty("device").GetString());
            Assert.InRange(Number("seconds"), 1e-6, 600);
            Assert.InRange(Number("floor_seconds"), 1e-9, Number("seconds") / 0.9);
            Assert.Equal(Number("seconds") / Number("floor_seconds"), Number("ratio_to_floor"), 1e-9 * Number("ratio_to_floor"));
            Assert.Equal(JsonValueKind.Null, line.GetProperty("baseline").ValueKind);
            Assert.Equal(JsonValueKind.Null, line.GetProperty("ratio_to_baseline").ValueKind);
            Assert.InRange(line.GetProperty("peak_bytes").GetInt64(), 1 << 20, 1L << 40);
            Assert.InRange(line.GetProperty("allocated_bytes_per_pass").GetInt64(), 0, 1 << 30);
        }

        // Other threads of the test's process may allocate, on the device nothing else does; that no pass does is AllocationTests' to say.
        Assert.EndsWith(
            ", 0 bytes |", output.Split('\n').First(l => l.StartsWith("| W1 |", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public void Only_some_works_may_run()
    {
        string output = PerfCli.Succeeds("run --shape tiny --quick --no-baseline --device cpu --only W3", "| W3 | circuit of 75 edges");
        Assert.DoesNotContain("| W1 |", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run --only W9", "--only W9")]
    [InlineData("run --shape tiny --only W5", "--only W5")]
    [InlineData("run --shape huge", "huge")]
    [InlineData("run --out /nowhere/run.json", "/nowhere")]
    [InlineData("run words", "words")]
    [InlineData("run --device warp", "warp")]
    [InlineData("profile W9", "W9")]
    [InlineData("profile", "name one work")]
    [InlineData("savings --pairs 0", "--pairs 0")]
    [InlineData("savings --shape tiny --vocabulary /nowhere", "/nowhere")]
    [InlineData("savings --shape tiny --data /nowhere", "--data /nowhere")]
    [InlineData("scaling --shape medium", "medium")]
    [InlineData("ops --filter Nothing --device cpu", "--filter Nothing")]
    [InlineData("nothing", "'nothing': no such command")]
    [InlineData("gemm --rounds 0", "--rounds 0: must be from 1")]
    [InlineData("gemm --workers 1,5", "--workers 1,5: '1,5' is not a whole number")]
    [InlineData("gemm --shape 10x20", "--shape 10x20")]
    [InlineData("gemm --shape 1000000x1000000x1", "--shape 1000000x1000000x1")]
    [InlineData("gemm now", "'now'")]
    [InlineData("methods --tokens -1", "--tokens -1: must be from 2")]
    [InlineData("methods --pairs 1e9", "--pairs 1e9")]
    [InlineData("methods --shape huge", "huge")]
    [InlineData("peers --shape huge", "huge")]
    [InlineData("kernels --only none", "--only none")]
    [InlineData("kernels --update --only gemm", "--update")]
    [InlineData("acdc 12", "'12'")]
    [InlineData("acdc --candidates 0", "--candidates 0")]
    [InlineData("discovery --sparsity 1", "--sparsity 1: must be above 0 and below 1")]
    [InlineData("discovery --steps 2147483648", "--steps 2147483648")]
    public void What_makes_no_sense_is_refused(string command, string mention)
    {
        (int code, _, string error) = PerfCli.Run(command.Split(' '));
        Assert.InRange(code, 1, 2);
        Assert.Contains(mention, error, StringComparison.Ordinal);
        Assert.DoesNotContain("unexpected error", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Measurements_are_one_object_too()
    {
        (int code, string output, _) = PerfCli.Run(
            "methods", "--shape", "tiny", "--pairs", "2", "--batch-size", "2", "--rounds", "1", "--json");
        Assert.Equal(0, code);
        using JsonDocument json = JsonDocument.Parse(output);
        Assert.Equal("methods", json.RootElement.GetProperty("verb").GetString());
        JsonElement rows = json.RootElement.GetProperty("tables").GetProperty("methods");
        Assert.Equal(["eap", "eap-ig", "eap-gp"], rows.EnumerateArray().Select(r => r.GetProperty("method").GetString()));
        Assert.All(rows.EnumerateArray(), r => Assert.InRange(r.GetProperty("seconds").GetDouble(), 1e-6, 600));
    }

    [Fact]
    public void A_python_that_is_not_there_leaves_the_baseline_out() =>
        PerfCli.Succeeds("run --shape tiny --quick --only W1 --device cpu --python /nowhere/python", "none measured",
            "no baseline: /nowhere/python could not be started");
}
