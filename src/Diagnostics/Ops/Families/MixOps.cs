using System.Linq.Expressions;
using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;

namespace Gradpath.Diagnostics.Ops.Families;

/// <summary>The ops of Device.Mix.cs.</summary>
internal static class MixOps
{
    // Every input takes every fourth writer: timed, a circuit of 8,000 edges.
    private const int Taken = Timed.Writers / 4;
    private const int Inputs = 36, Writers = 16, Rows = 6;

    public static IReadOnlyList<OpRow> All { get; } =
    [
        new("Mix", "MixInputs")
        {
            Cases = [new("", OpCase.Rounding, Mix)],
            Works = [new(
                $"{Timed.Readers} inputs of {Taken} writers, {Timed.Rows} x {Timed.Width}",
                (double)Timed.Readers * Taken * Timed.Rows * Timed.Width,
                Timed.Float * (Timed.Writers + Timed.Readers + 1.0) * Timed.Rows * Timed.Width, x =>
                {
                    Tensor baseline = x.Tensor(Timed.Rows, Timed.Width), total = x.Tensor(1, Timed.Rows, Timed.Width);
                    Tensor differences = x.Tensor(Timed.Writers, Timed.Rows, Timed.Width);
                    Tensor output = x.Tensor(Timed.Readers, Timed.Rows, Timed.Width);
                    MixPlan plan = new(
                        x.Integers(Timed.Readers), x.Integers(Timed.Readers), x.Integers(Starts(Timed.Readers, Taken)),
                        x.Integers(Slots(Timed.Readers, Timed.Writers, Taken)),
                        Timed.Readers * Taken, 1, Timed.Writers);
                    return () => x.Device.MixInputs(baseline, total, differences, plan, Timed.Readers, Timed.Rows, Timed.Width, output);
                })],
            Kernels = [new(
                "mixInputs", "36 inputs of 4 of 16 writers, 6 x 768", (1 + Writers + Inputs) * Rows * Counted.RowBytes,
                x => x.Device.MixInputs(
                    x.Rows(Rows),
                    x.Rows(Rows),
                    x.Rows(Writers * Rows),
                    new MixPlan(
                        x.Integers(new int[Inputs]), x.Integers(new int[Inputs]), x.Integers(Starts(Inputs, Writers / 4)),
                        x.Integers(Slots(Inputs, Writers, Writers / 4)),
                        Inputs * Writers / 4, 1, Writers),
                    Inputs,
                    Rows,
                    Counted.Width,
                    x.Rows(Inputs * Rows))) { MostTraffic = 4.4 }],
            Writes = ["output"],
        },
    ];

    private static IEnumerable<int> Starts(int inputs, int taken) => Enumerable.Range(0, inputs + 1).Select(i => i * taken);

    private static IEnumerable<int> Slots(int inputs, int writers, int taken) =>
        Enumerable.Range(0, inputs * taken).Select(i => ((i % taken * 4) + (i / taken)) % writers);

    private static Expression<Action<Device>> Mix(OpOperands x)
    {
        int slots = x.Extent(20, 2), copies = x.Extent(3, 2), inputs = x.Extent(12), rows = x.Extent(9), width = x.Extent(130);
        long block = (long)rows * width;
        List<int> copy = [], takesTotal = [], start = [0], slot = [];
        for (int i = 0; i < inputs; i++)
        {
            copy.Add(x.Below(copies));
            takesTotal.Add(x.Below(2));
            slot.AddRange(x.Distinct(x.Below(slots + 1), slots));
            start.Add(slot.Count);
        }
        MixPlan plan = new(
            x.Integers([.. copy]), x.Integers([.. takesTotal]), x.Integers([.. start]), x.Integers([.. slot]), slot.Count, copies, slots);
        Tensor baseline = x.Draw(block);
        Tensor total = x.Draw(copies * block);
        Tensor differences = x.Draw(slots * block);
        Tensor output = x.Out(inputs * block);
        return d => d.MixInputs(baseline, total, differences, plan, inputs, rows, width, output);
    }
}
