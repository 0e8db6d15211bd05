namespace Gradpath.Gpt2Runtime.Tests;

public sealed class SplitMix64Tests
{
    [Fact]
    public void Gives_the_published_numbers()
    {
        var random = new SplitMix64(1234567);
        Assert.Equal(
            [6457827717110365317UL, 3203168211198807973UL, 9817491932198370423UL, 4593380528125082431UL, 16408922859458223821UL],
            Enumerable.Range(0, 5).Select(_ => random.Next()));
    }

    [Fact]
    public void Draws_below_the_bound_evenly()
    {
        var random = new SplitMix64(3);
        var counts = new int[7];
        for (var i = 0; i < 70_000; i++)
            counts[random.Below(7)]++;
        Assert.All(counts, count => Assert.InRange(count, 9_500, 10_500));
    }

    [Fact]
    public void Picks_two_different_elements()
    {
        var random = new SplitMix64(4);
        var seen = new HashSet<(int, int)>();
        for (var i = 0; i < 500; i++)
            seen.Add(random.PickTwo([1, 2, 3]));
        Assert.Equal(6, seen.Count);
        Assert.All(seen, pair => Assert.NotEqual(pair.Item1, pair.Item2));
    }
}
