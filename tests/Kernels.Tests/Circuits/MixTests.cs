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
    public void A_part_of_a_plan_is_mixed_by_itself()
    {
        const int Rows = 2, Width = 9, Block = Rows * Width;
        float[] baseline = Numbers.Draw(1, Block), total = Numbers.Draw(2, Block), differences = Numbers.Draw(3, 3 * Block);
        double[][] actual = OpBench.Run(bench =>
        {
            using MixPlanner planner = new(bench.Device);
            planner.Begin(3);
            for (int i = 0; i < 3; i++)
            {
                planner.AddInput(0, takesTotal: i == 1);
                planner.AddSlot(i);
            }
            Tensor all = bench.Out(3 * Block), part = bench.Out(2 * Block);
            Tensor b = bench.Store(baseline), t = bench.Store(total), d = bench.Store(differences);
            MixPlan plan = planner.Upload();
            bench.Device.MixInputs(b, t, d, plan, 3, Rows, Width, all);
            bench.Device.MixInputs(b, t, d, plan with { First = 1 }, 2, Rows, Width, part);
            return [all, part];
        });
        Assert.Equal(actual[0][Block..(3 * Block)], actual[1][..(2 * Block)]);
    }

    [Theory]
    [InlineData(1, 1, 1, false)]
    [InlineData(5, 64, 64, true)]
    [InlineData(67, 64, 100, false)]
    [InlineData(67, 37, 203, true)]
    public void Members_of_a_group_are_products_at_their_places(int m, int n, int k, bool accumulate)
    {
        const int Inputs = 2, Weights = 3;
        float[] a = Numbers.Draw(1, Inputs * m * k), b = Numbers.Draw(2, k * Weights * n), bias = Numbers.Draw(3, Weights * n);
        int wide = 3 * n, step = m * wide;
        float[] start = Numbers.Draw(4, 3 * step);

        // Inputs serve several members, weights lie side by side, and C has two strides. The first entry is not taken.
        int[][] members = [[0, 0, 0, n], [1, 2, 1, wide], [0, 1, 2, n], [1, 1, 0, wide]];
        double[] actual = OpBench.Run(bench =>
        {
            Tensor c = bench.Store(start);
            ProductTable table = new(bench.Integers([.. members.SelectMany(x => x)]), 1, 3, Inputs - 1, Weights - 1, 2);
            bench.Device.GroupedGemm(
                new Matrix(bench.Store(a), 0, m, k, k), new Matrix(bench.Store(b), 0, k, n, Weights * n), new Matrix(c, 0, m, n, wide),
                table, new GemmOptions(accumulate, bench.Store(bias), 1, (long)m * k, n, step));
            return [c];
        })[0];
        double[] expected = Numbers.Wide(start);
        foreach (int[] x in members[1..])
        {
            for (int row = 0; row < m; row++)
            {
                for (int column = 0; column < n; column++)
                {
                    double sum = bias[(x[1] * n) + column];
                    for (int i = 0; i < k; i++) sum += (double)a[(((x[0] * m) + row) * k) + i] * b[(((i * Weights) + x[1]) * n) + column];
                    ref double to = ref expected[(x[2] * step) + (row * x[3]) + column];
                    to = accumulate ? to + sum : sum;
                }
            }
        }
        Numbers.Same(expected, actual, 5e-6);
    }

    [Theory]
    [InlineData(1, 1, false)]
    [InlineData(3, 37, true)]
    [InlineData(2, 260, false)]
    public void Differences_go_to_their_slots_and_onto_their_totals(int rows, int width, bool fromOne)
    {
        int block = rows * width;
        (int Copy, int Slot)[] places = [(2, 1), (-1, 3), (0, -1), (1, 0)];
        float[] outputs = Numbers.Draw(1, 4 * block), target = Numbers.Draw(2, block), from = Numbers.Draw(3, block);
        float[] slots = Numbers.Draw(4, 5 * block), totals = Numbers.Draw(5, 4 * block);
        double[][] actual = OpBench.Run(bench =>
        {
            Tensor kept = bench.Store(slots), summed = bench.Store(totals);
            DifferencePlan plan = new(bench.Integers([-1, -1, .. places.SelectMany(p => (int[])[p.Copy, p.Slot])]), 1, 4, 3, 4);
            bench.Device.TakeDifferences(
                bench.Store(outputs), bench.Store(target), plan, rows, width, kept, summed, fromOne ? bench.Store(from) : null);
            return [kept, summed];
        });
        for (int i = 0; i < 4; i++)
        {
            for (int e = 0; e < block; e++)
            {
                float difference = outputs[(i * block) + e] - target[e];
                if (places[i].Slot >= 0) slots[(places[i].Slot * block) + e] = difference;
                if (places[i].Copy < 0) continue;
                ref float total = ref totals[(places[i].Copy * block) + e];
                total = (fromOne ? from[e] : total) + difference;
            }
        }
        Assert.Equal(Numbers.Wide(slots), actual[0]);
        Assert.Equal(Numbers.Wide(totals), actual[1]);
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
