using Gradpath.Kernels.Cpu;

namespace Gradpath.Kernels.Tests;

public sealed class SequenceLayoutTests
{
    [Fact]
    public void Sequences_lie_one_after_the_other_and_copies_behind_them()
    {
        using var device = new CpuDevice(1);
        using var layout = new SequenceLayout(device, [3, 1, 2], copies: 2);
        Assert.Equal((3, 2, 6), (layout.BaseSequences, layout.Copies, layout.Sequences));
        Assert.Equal((12, 12, 3, 28L), (layout.KeyRows, layout.QueryRows, layout.LongestKeys, layout.ProbabilitiesPerHead));
        Assert.False(layout.LastQueryOnly);
        Assert.Equal([0, 3, 4, 6, 9, 10], layout.KeyStart.ToArray());
        Assert.Equal([3, 1, 2, 3, 1, 2], layout.KeyLength.ToArray());
        Assert.Equal([0, 3, 4, 6, 9, 10], layout.QueryStart.ToArray());
        Assert.Equal([3, 1, 2, 3, 1, 2], layout.QueryLength.ToArray());
        Assert.Equal([0, 9, 10, 14, 23, 24], layout.ProbabilityStart.ToArray());
        Assert.Equal([2, 3, 5, 8, 9, 11], layout.LastRow.ToArray());
    }

    [Fact]
    public void Where_only_the_answer_matters_every_sequence_has_one_query()
    {
        using var device = new CpuDevice(1);
        using var layout = new SequenceLayout(device, [3, 1, 2], copies: 1, lastQueryOnly: true);
        Assert.True(layout.LastQueryOnly);
        Assert.Equal((6, 3, 6L), (layout.KeyRows, layout.QueryRows, layout.ProbabilitiesPerHead));
        Assert.Equal([0, 1, 2], layout.QueryStart.ToArray());
        Assert.Equal([1, 1, 1], layout.QueryLength.ToArray());
        Assert.Equal([0, 3, 4], layout.ProbabilityStart.ToArray());
        Assert.Equal([2, 3, 5], layout.LastRow.ToArray());
    }

    [Fact]
    public void Prefixes_add_keys_but_no_rows_and_are_shared_by_copies()
    {
        using var device = new CpuDevice(1);
        using var layout = new SequenceLayout(device, [3, 1, 2], copies: 2, prefixes: [4, 0, 5]);
        Assert.Equal(
            (12, 12, 9, 7, 72L), (layout.KeyRows, layout.QueryRows, layout.PrefixRows, layout.LongestKeys, layout.ProbabilitiesPerHead));
        Assert.Equal([0, 4, 4, 0, 4, 4], layout.PrefixStart.ToArray());
        Assert.Equal([4, 0, 5, 4, 0, 5], layout.PrefixLength.ToArray());
        Assert.Equal([0, 3, 4, 6, 9, 10], layout.KeyStart.ToArray());
        Assert.Equal([0, 21, 22, 36, 57, 58], layout.ProbabilityStart.ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => new SequenceLayout(device, [3, 1], prefixes: [1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SequenceLayout(device, [3, 1], prefixes: [1, -1]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-2)]
    public void A_sequence_has_at_least_one_position(int length)
    {
        using var device = new CpuDevice(1);
        Assert.Throws<ArgumentOutOfRangeException>(() => new SequenceLayout(device, [3, length]));
        Assert.Equal(0, device.AllocatedBytes);
    }
}
