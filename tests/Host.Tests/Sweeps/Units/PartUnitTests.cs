using Gradpath.Gpt2Runtime;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Tests;

/// <summary>Prompts that are divided into parts, and put together again.</summary>
public sealed class PartUnitTests : IDisposable
{
    private readonly UnitSweep _sweep = new();

    [Theory]
    [InlineData("eap")]
    [InlineData("{name: eap-ig, steps: 3}")]
    [InlineData("{name: eap-gp, steps: 2}")]
    public void Scores_of_parts_are_those_of_the_whole(string method)
    {
        string plan = $$"""
            tasks: ioi
            methods: [{{method}}]
            sizes: {fractions: [0.02, 0.2]}
            """;
        SweepFolder whole = _sweep.Run(plan, "{train: 10, judge: 4}", "whole");
        SweepFolder divided = _sweep.Run(plan, "{train: 10, judge: 4, parts: 3}", "divided");
        Assert.Equal([(0, 3), (1, 3), (2, 3), null], divided.Units.Select(u => u.Part));
        Assert.Equal(divided.Units.Take(3).Select(u => u.Key), divided.Units[3].Needs);
        Assert.Equal([3, 3, 4, 10], divided.Units.Select(u => divided.Result(u.Key).TrainPairs));
        Assert.Equal([0, 0, 0, 4], divided.Units.Select(u => divided.Result(u.Key).JudgePairs));
        Assert.All(divided.Units.Take(3), u => Assert.Empty(divided.Result(u.Key).Rows));

        float[] expected = UnitSweep.Scores(whole, whole.Units[0]).Values.ToArray();
        float[] found = UnitSweep.Scores(divided, divided.Units[3]).Values.ToArray();
        float largest = expected.Max(Math.Abs);
        Assert.True(largest > 0);
        for (int e = 0; e < expected.Length; e++)
            Assert.True(Math.Abs(expected[e] - found[e]) <= 1e-6 * largest, $"edge {e}: {expected[e]} and {found[e]}, of {largest}");
        UnitResult one = whole.Result(whole.Units[0].Key), joined = divided.Result(divided.Units[3].Key);
        Assert.Equal(one.Cmd!.Value, joined.Cmd!.Value, 1e-3);
        Assert.Equal(one.Rows.Select(r => r.EdgesAsked), joined.Rows.Select(r => r.EdgesAsked));
        Assert.Equal(one.Passes, joined.Passes);
        Assert.True(joined.Seconds >= divided.Units.Take(3).Sum(u => divided.Result(u.Key).Seconds));
        Assert.Equal(SweepPlans.Table(whole.Path).Split('\n').Length, SweepPlans.Table(divided.Path).Split('\n').Length);
    }

    [Fact]
    public void Sums_that_are_of_another_size_are_refused()
    {
        SweepFolder folder = _sweep.Run("""
            tasks: ioi
            methods: eap
            evaluate: none
            """, "{train: 4, judge: 0, parts: 2}");
        SweepUnit part = folder.Units[0], join = folder.Units[2];
        UnitOutcome shorter = new(folder.Result(part.Key)) { Sums = folder.SumsOf(part.Key)[1..] };
        folder.Write(shorter);
        File.Delete(folder.ResultFile(join.Key));
        Cli.Run(["sweep", folder.Path, .. SweepPlans.Cpu]);
        Assert.Contains(
            $"the sums of unit {part.Key} are those of another model", folder.Failure(join.Key)!.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Sums_that_a_disk_has_changed_are_not_joined_and_are_computed_again(bool beforeStart)
    {
        SweepFolder folder = _sweep.Run("""
            tasks: ioi
            methods: eap
            evaluate: none
            """, "{train: 4, judge: 0, parts: 2}");
        SortedDictionary<string, string> expected = SweepPlans.Contents(folder.Path);
        SweepUnit part = folder.Units[0], join = folder.Units[2];
        string sums = folder.WorkFile(part.Key) + ".sums.safetensors";
        byte[] bytes = File.ReadAllBytes(sums);
        bytes.AsSpan(bytes.Length * 2 / 3).Clear();
        File.WriteAllBytes(sums, bytes);
        Assert.Contains($"{sums}: damaged: its content does not match the checksum in {part.Key}.json",
            Assert.Throws<GradpathException>(() => folder.SumsOf(part.Key)).Message, StringComparison.Ordinal);
        if (beforeStart) File.Delete(folder.ResultFile(join.Key));
        Cli.Run("sweep", "status", folder.Path).Succeeds("1 damaged");
        Cli.Run(["sweep", folder.Path, .. SweepPlans.Cpu])
            .Warns($"{sums}: damaged", $"3 of 3 units done, {(beforeStart ? 2 : 1)} of them now, 0 failed");
        Assert.Equal(expected, SweepPlans.Contents(folder.Path));
    }

    [Fact]
    public void A_part_that_fails_fails_what_needs_it_and_a_retry_computes_both()
    {
        SweepFolder folder = _sweep.Run("""
            tasks: ioi
            methods: eap
            evaluate: none
            """, "{train: 4, judge: 0, parts: 2}");
        SortedDictionary<string, string> expected = SweepPlans.Contents(folder.Path);
        foreach (SweepUnit unit in folder.Units.Skip(1)) File.Delete(folder.ResultFile(unit.Key));
        folder.Fail(UnitFailure.Now(folder.Units[1], "out of memory", 1));
        Cli.Run(["sweep", folder.Path, .. SweepPlans.Cpu]);
        Assert.Equal(2, folder.Failures().Count);
        Cli.Run("sweep", "retry", folder.Path, "--unit", folder.Units[1].Key[..10]).Succeeds("2 failures");
        Cli.Run(["sweep", folder.Path, .. SweepPlans.Cpu]).Succeeds("3 of 3 units done, 2 of them now, 0 failed");
        Assert.Equal(expected, SweepPlans.Contents(folder.Path));
    }

    public void Dispose() => _sweep.Dispose();
}
