using Gradpath.Kernels.Circuits;

namespace Gradpath.Kernels.Tests;

public sealed class MixTests
{
    /// <summary>Three inputs: one of slots, one of a copy's total without slots, one of nothing.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 37)]
    [InlineData(2, 260)]
    public void Inputs_are_the_baseline_with_slots_added_or_taken_off_a_total(int rows, int width)
    {
        const int Copies = 2, Slots = 7;
        int block = rows * width;
        float[] baseline = Numbers.Draw(1, block), total = Numbers.Draw(2, Copies * block), differences = Numbers.Draw(3, Slots * block);
        int[] added = [6, 0, 3, 1, 2], takenOff = [4, 5];
        double[] actual = OpBench.Run(bench =>
        {
            using MixPlanner planner = new(bench.Device);
            planner.Begin(3);
            planner.AddInput(0, takesTotal: false);
            foreach (int slot in added) planner.AddSlot(slot);
            planner.AddInput(1, takesTotal: true);
            foreach (int slot in takenOff) planner.AddSlot(slot);
            planner.AddInput(1, takesTotal: false);
            Tensor output = bench.Out(3 * block);
            bench.Device.MixInputs(
                bench.Store(baseline), bench.Store(total), bench.Store(differences), planner.Upload(), 3, rows, width, output);
            return [output];
        })[0];
        double[] expected = [.. Numbers.Wide(baseline), .. Numbers.Wide(baseline), .. Numbers.Wide(baseline)];
        for (int i = 0; i < block; i++)
        {
            foreach (int slot in added) expected[i] += differences[(slot * block) + i];
            expected[block + i] += total[block + i];
            foreach (int slot in takenOff) expected[block + i] -= differences[(slot * block) + i];
        }
        Numbers.Same(expected, actual, 1e-6);
    }

    [Fact]
    public void A_plan_knows_how_much_it_takes_and_begins_anew_in_the_same_memory() => OpBench.Run(bench =>
    {
        using MixPlanner planner = new(bench.Device);
        planner.Begin(2);
        planner.AddInput(3, takesTotal: true);
        planner.AddSlot(8);
        planner.AddSlot(2);
        planner.AddInput(5, takesTotal: false);
        MixPlan first = planner.Upload();
        Assert.Equal((2, 4, 9), (first.Listed, first.Copies, first.Slots));
        Assert.Throws<InvalidOperationException>(() => planner.AddInput(0, takesTotal: false));
        long before = bench.Device.ReservedBytes;
        planner.Begin(1);
        planner.AddInput(0, takesTotal: false);
        planner.AddSlot(1);
        MixPlan second = planner.Upload();
        Assert.Equal((1, 0, 2), (second.Listed, second.Copies, second.Slots));
        Assert.Equal(before, bench.Device.ReservedBytes);
        return [];
    });
}
