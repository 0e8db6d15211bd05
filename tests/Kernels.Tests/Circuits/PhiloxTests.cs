using Gradpath.Kernels.Circuits;

namespace Gradpath.Kernels.Tests;

public sealed class PhiloxTests
{
    // The known answers that the Random123 library publishes for philox4x32-10.
    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(
        0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(
        0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Published_answers(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint w0, uint w1, uint w2, uint w3) =>
        Assert.Equal((w0, w1, w2, w3), Philox.Generate(c0, c1, c2, c3, ((ulong)k1 << 32) | k0));

    [Fact]
    public void Uniform_numbers_fill_the_open_interval_evenly()
    {
        var counts = new int[10];
        for (uint i = 0; i < 10_000; i++)
        {
            double u = Philox.Uniform(i, 7, 42);
            Assert.InRange(u, double.Epsilon, 1 - 1e-10);
            counts[(int)(10 * u)]++;
        }
        Assert.All(counts, count => Assert.InRange(count, 870, 1130));
    }

    [Fact]
    public void Element_step_and_seed_each_change_the_number()
    {
        double u = Philox.Uniform(1, 2, 3);
        Assert.NotEqual(u, Philox.Uniform(2, 2, 3));
        Assert.NotEqual(u, Philox.Uniform(1, 3, 3));
        Assert.NotEqual(u, Philox.Uniform(1, 2, 3 + (1UL << 32)));
    }
}
