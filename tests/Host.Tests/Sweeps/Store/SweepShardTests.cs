using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Tests;

/// <summary>Parts of a sweep: every unit is in one, they are about equally costly, and everybody divides alike.</summary>
public sealed class SweepShardTests
{
    [Theory]
    [InlineData("1/1", 1, 1)]
    [InlineData("2/8", 2, 8)]
    [InlineData("008/8", 8, 8)]
    public void A_part_is_read(string text, int number, int count)
    {
        Assert.Equal(new SweepShard(number, count), SweepShard.Parse(text, _ => null));
        Assert.Equal($"{number}/{count}", SweepShard.Parse(text, _ => null)!.ToString());
    }

    [Theory]
    [InlineData("0/8")]
    [InlineData("9/8")]
    [InlineData("1/0")]
    [InlineData("-1/8")]
    [InlineData("1")]
    [InlineData("1/2/3")]
    [InlineData("1/99999999999")]
    [InlineData(" 1/2")]
    [InlineData("")]
    public void What_is_no_part_is_refused(string text) => Refused($"--shard {text}: give i/n", text);

    [Fact]
    public void No_part_is_all_units()
    {
        Assert.Null(SweepShard.Parse(null, _ => "1"));
        Assert.Null(SweepShard.Parse("auto", _ => null));
        Refused("neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set", "env");
    }

    [Theory]
    [InlineData(1, 8, "SLURM_ARRAY_TASK_ID=0 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_COUNT=8")]
    [InlineData(3, 4, "SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_COUNT=4")]
    [InlineData(3, 3, "SLURM_ARRAY_TASK_ID=14 SLURM_ARRAY_TASK_MIN=10 SLURM_ARRAY_TASK_COUNT=3 SLURM_ARRAY_TASK_STEP=2")]
    [InlineData(2, 2, "SLURM_ARRAY_TASK_ID=1 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_COUNT=2 JOB_COMPLETION_INDEX=0")]
    [InlineData(5, 6, "JOB_COMPLETION_INDEX=4 GRADPATH_SHARD_COUNT=6")]
    public void A_batch_system_says_which_part(int number, int count, string variables)
    {
        foreach (string word in (string[])["env", "auto"])
            Assert.Equal(new SweepShard(number, count), SweepShard.Parse(word, name => Of(variables, name)));
    }

    [Theory]
    [InlineData("so SLURM_ARRAY_TASK_COUNT must be too", "SLURM_ARRAY_TASK_ID=0 SLURM_ARRAY_TASK_MIN=0")]
    [InlineData("so GRADPATH_SHARD_COUNT must be too", "JOB_COMPLETION_INDEX=0")]
    [InlineData("INDEX is 3, so GRADPATH_SHARD_COUNT must be 4 or more, and it is 3", "JOB_COMPLETION_INDEX=3 GRADPATH_SHARD_COUNT=3")]
    [InlineData("GRADPATH_SHARD_COUNT must be 10 or more, and it is 8", "JOB_COMPLETION_INDEX=9 GRADPATH_SHARD_COUNT=8")]
    [InlineData("SLURM_ARRAY_TASK_ID is x, which is no whole number", "SLURM_ARRAY_TASK_ID=x")]
    [InlineData("without gaps", "SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_COUNT=3")]
    [InlineData("without gaps", "SLURM_ARRAY_TASK_ID=1 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_COUNT=3 SLURM_ARRAY_TASK_STEP=2")]
    public void What_a_batch_system_leaves_out_is_named(string says, string variables)
    {
        foreach (string word in (string[])["env", "auto"])
        {
            Refused(says, word, variables);
            Refused($"--shard {word}: ", word, variables);
        }
    }

    [Fact]
    public void Every_unit_is_in_one_part_and_no_part_has_much_more_than_its_share()
    {
        Random random = new(1);
        for (int trial = 0; trial < 200; trial++)
        {
            int count = random.Next(1, 20);
            SweepUnit[] units =
            [
                .. Enumerable.Range(0, random.Next(0, 60)).Select(i => SweepSamples.Unit(i, random.Next(5) switch
                {
                    0 => 1,
                    1 => 0,
                    2 => Math.Pow(10, random.Next(-3, 15)),
                    3 => random.Next(2) == 0 ? double.NaN : double.PositiveInfinity,
                    _ => random.NextDouble() * 100,
                })),
            ];
            IReadOnlyList<SweepUnit>[] parts = [.. Enumerable.Range(1, count).Select(n => new SweepShard(n, count).Of(units))];
            Assert.Equal(units.Select(u => u.Index), parts.SelectMany(p => p).Select(u => u.Index).Order());
            Assert.All(parts, p => Assert.Equal(p.Select(u => u.Index).Order(), p.Select(u => u.Index)));

            // The bound of this rule: the mean load and one more unit.
            double[] loads = [.. parts.Select(p => p.Sum(u => Known(u.Cost)))];
            double costliest = units.Length == 0 ? 0 : units.Max(u => Known(u.Cost));
            Assert.True(loads.Max() <= (loads.Sum() / count + costliest) * (1 + 1e-9));
            for (int n = 1; n <= count; n++) Assert.Equal(parts[n - 1], new SweepShard(n, count).Of(units));
        }
    }

    [Fact]
    public void Units_of_one_cost_are_dealt_out_evenly()
    {
        SweepUnit[] units = [.. Enumerable.Range(0, 10).Select(i => SweepSamples.Unit(i, 0))];
        Assert.Equal([3, 3, 2, 2], Enumerable.Range(1, 4).Select(n => new SweepShard(n, 4).Of(units).Count));
        Assert.Equal([0, 4, 8], new SweepShard(1, 4).Of(units).Select(u => u.Index));
    }

    private static double Known(double cost) => double.IsFinite(cost) && cost > 0 ? cost : 0;

    private static string? Of(string variables, string name) => variables.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Select(v => v.Split('=')).FirstOrDefault(v => v[0] == name)?[1];

    private static void Refused(string says, string text, string variables = "") => Assert.Contains(
        says, Assert.Throws<UsageException>(() => SweepShard.Parse(text, name => Of(variables, name))).Message, StringComparison.Ordinal);
}
