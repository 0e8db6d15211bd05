using System.Linq.Expressions;
using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;
using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Diagnostics.Ops.Families;

/// <summary>The ops of Device.Masks.cs.</summary>
internal static class MaskOps
{
    private const double Allowed = 1e-6;
    private const int Parameters = Counted.Edges + Counted.Gates;

    private static string TimedShape => $"{Timed.Edges} edges";

    private static string CountedShape => $"{Counted.Edges} edges";

    private static string GatedShape => $"{CountedShape}, {Counted.Gates} gates";

    public static IReadOnlyList<OpRow> All { get; } =
    [
        new("Masks", "SampleHardConcrete")
        {
            Cases = [new("", Allowed, x =>
            {
                // Parameters reach far enough to both sides for z to stick at 0 and at 1.
                int count = x.Extent(900);
                ulong seed = 0x1234_5678_9abc_def0 + (ulong)x.Below(99);
                DeviceArray<double> numbers = Numbers(x);
                Tensor logAlpha = x.Draw(count, 6), z = x.Out(count), slope = x.Out(count);
                return d => d.SampleHardConcrete(logAlpha, count, seed, numbers, z, slope);
            })],

            // Ten rounds of Philox are 20 products of integers, which are no flops.
            Works = [new(TimedShape, 14.0 * Timed.Edges, 3 * Timed.Float * Timed.Edges, x =>
            {
                Tensor logAlpha = x.Tensor(Timed.Edges), z = x.Tensor(Timed.Edges), slope = x.Tensor(Timed.Edges);
                DeviceArray<double> numbers = x.Doubles(MaskNumbers, 1);
                return () => x.Device.SampleHardConcrete(logAlpha, Timed.Edges, 1, numbers, z, slope);
            })],
            Kernels = [new("sampleHardConcrete", CountedShape, 3 * Counted.Float * Counted.Edges, x =>
                x.Device.SampleHardConcrete(
                    x.Floats(Counted.Edges), Counted.Edges, 1, x.Doubles(MaskNumbers), x.Floats(Counted.Edges), x.Floats(Counted.Edges)))
                { MostTraffic = 1.09 }],
            Writes = ["z", "slope"],
        },
        new("Masks", "PlaceMasks")
        {
            Cases = [new("", Allowed, x => Place(x, gates: false)), new("with gates", Allowed, x => Place(x, gates: true))],
            Works = [new(TimedShape, 0, 3 * Timed.Float * Timed.Edges, x =>
            {
                Tensor z = x.Tensor(Timed.Edges), mask = x.Tensor(Timed.Edges);
                MaskLayout layout = Layout(x);
                return () => x.Device.PlaceMasks(z, layout, mask);
            })],
            Kernels = [new("placeMasks", GatedShape, Counted.Float * ((4 * Counted.Edges) + Counted.Gates), x =>
                x.Device.PlaceMasks(x.Floats(Parameters), x.Masks(), x.Floats(Counted.Edges)))],
            Writes = ["mask"],
        },
        new("Masks", "MaskGradients")
        {
            Cases = [new("", Allowed, x => Gradients(x, gates: false)), new("with gates", Allowed, x => Gradients(x, gates: true))],
            Works = [new(TimedShape, 3.0 * Timed.Edges, 5 * Timed.Float * Timed.Edges, x =>
            {
                Tensor z = x.Tensor(Timed.Edges), slope = x.Tensor(Timed.Edges), gradient = x.Tensor(Timed.Edges);
                MaskLayout layout = Layout(x);
                DeviceArray<double> scores = x.Doubles(Timed.Edges, 1), numbers = x.Doubles(MaskNumbers, 0.1);
                return () => x.Device.MaskGradients(scores, layout, z, slope, 1, numbers, gradient);
            })],
            Kernels =
            [
                new(
                    "edgeMaskGradients",
                    GatedShape,
                    (Counted.Double * Counted.Edges) + (Counted.Float * ((4 * Counted.Edges) + Counted.Gates)),
                    Gradients) { MostTraffic = 1.09 },
                new(
                    "gateMaskGradients",
                    GatedShape,
                    (Counted.Double * Counted.Edges) + (Counted.Float * ((2 * Counted.Edges) + (3 * Counted.Gates))),
                    Gradients) { MostTraffic = 1.35 },
            ],
            Writes = ["gradient"],
        },
        new("Masks", "AdamWStep")
        {
            Cases = [new("", Allowed, x =>
            {
                int count = x.Extent(900);
                AdamWOptions options = new(0.01, 0.9, 0.999, 1e-8);
                DeviceArray<double> numbers = Numbers(x);
                Tensor p = x.Draw(count), g = x.Draw(count), m = x.Draw(count, 0.1), v = x.Draw(count, 0.01, 0.02);
                return d => d.AdamWStep(p, g, m, v, count, options, numbers);
            })],
            Works = [new(TimedShape, 16.0 * Timed.Edges, 7 * Timed.Float * Timed.Edges, x =>
            {
                Tensor p = x.Tensor(Timed.Edges), g = x.Tensor(Timed.Edges), m = x.Tensor(Timed.Edges), v = x.Tensor(Timed.Edges);
                AdamWOptions options = new(0, 0.9, 0.999, 1e-8);
                DeviceArray<double> numbers = x.Doubles(MaskNumbers, 1e-6);
                return () => x.Device.AdamWStep(p, g, m, v, Timed.Edges, options, numbers);
            })],
            Kernels = [new("adamWStep", CountedShape, 7 * Counted.Float * Counted.Edges, x => x.Device.AdamWStep(
                x.Floats(Counted.Edges), x.Floats(Counted.Edges), x.Floats(Counted.Edges), x.Positive(Counted.Edges), Counted.Edges,
                new AdamWOptions(0, 0.9, 0.999, 1e-8), x.Doubles(MaskNumbers))) { MostTraffic = 1.15 }],
            Writes = ["parameters", "firstMoment", "secondMoment"],
        },
        new("Masks", "ClearScores")
        {
            Cases = [new("", 0, x =>
            {
                int count = x.Extent(900);
                DeviceArray<double> scores = x.DrawDoubles(count + x.Spare(3));
                return d => d.ClearScores(scores, count);
            })],
            Works = [new(TimedShape, 0, Counted.Double * Timed.Edges, x =>
            {
                DeviceArray<double> scores = x.Doubles(Timed.Edges, 1);
                return () => x.Device.ClearScores(scores, Timed.Edges);
            })],
            Kernels = [],
            Writes = ["scores"],
        },
        new("Masks", "ConstrainMasks")
        {
            Cases =
            [
                new("", Allowed, x => Constrain(x, new MaskConstraints(1 + x.Below(900), 0, false))),
                new("with gates", Allowed, x => Constrain(x, new MaskConstraints(1 + x.Below(900), 1 + x.Below(90), x.Below(2) > 0))),
            ],
            Works = [new("", 20, Counted.Double * MaskNumbers, x =>
            {
                DeviceArray<double> numbers = x.Doubles(MaskNumbers, 1);
                return () => x.Device.ConstrainMasks(new MaskConstraints(900, 90, true), numbers);
            })],
            Kernels = [new("constrainMasks", "1,000 edges, gates", 12 * Counted.Double, x =>
                x.Device.ConstrainMasks(new MaskConstraints(1000, 90, true), x.Doubles(MaskNumbers))) { MostTraffic = 4.7 }],
            Writes = ["numbers"],
        },
        new("Masks", "BalanceMasks")
        {
            Cases =
            [
                new("", Allowed, x => Balance(x, new MaskConstraints(900, 0, false))),
                new("with gates", Allowed, x => Balance(x, new MaskConstraints(900, 90, x.Below(2) > 0))),
            ],
            Works = [new($"{Timed.Rows} items", 100, Counted.Double * (Timed.Rows + MaskNumbers), x =>
            {
                DeviceArray<double> values = x.Doubles(Timed.Rows, 1), numbers = x.Doubles(MaskNumbers, 1);
                return () => x.Device.BalanceMasks(
                    new MaskConstraints(900, 90, true), values, Timed.Rows, 1, new AdamWOptions(0, 0.9, 0.999, 1e-8), numbers);
            })],
            Kernels = [new("balanceMasks", "64 items", Counted.Double * (64 + 34), x => x.Device.BalanceMasks(
                new MaskConstraints(900, 90, true), x.Doubles(64), 64, 1, new AdamWOptions(0, 0.9, 0.999, 1e-8), x.Doubles(MaskNumbers)))
                { MostTraffic = 4 }],
            Writes = ["numbers"],
        },
    ];

    private static Expression<Action<Device>> Place(OpOperands x, bool gates)
    {
        MaskLayout layout = Layout(x, gates);
        Tensor z = x.Draw(layout.Parameters), mask = x.Out(layout.Cells);
        return d => d.PlaceMasks(z, layout, mask);
    }

    private static Expression<Action<Device>> Gradients(OpOperands x, bool gates)
    {
        MaskLayout layout = Layout(x, gates);
        DeviceArray<double> scores = x.DrawDoubles(layout.Cells);
        Tensor z = x.Draw(layout.Parameters), slope = x.Draw(layout.Parameters), gradient = x.Out(layout.Parameters);
        DeviceArray<double> numbers = Numbers(x);
        return d => d.MaskGradients(scores, layout, z, slope, 0.3, numbers, gradient);
    }

    private static Expression<Action<Device>> Constrain(OpOperands x, MaskConstraints constraints)
    {
        DeviceArray<double> numbers = Numbers(x);
        return d => d.ConstrainMasks(constraints, numbers);
    }

    // Now and then a value is below 0, as rounding leaves it.
    private static Expression<Action<Device>> Balance(OpOperands x, MaskConstraints constraints)
    {
        int items = x.Extent(40);
        DeviceArray<double> values = x.DrawDoubles(items, 1, 0.9), numbers = Numbers(x);
        return d => d.BalanceMasks(constraints, values, items, 1, new AdamWOptions(0.01, 0.9, 0.999, 1e-8), numbers);
    }

    // A step of a training under way: everything positive, and the step a whole number.
    private static DeviceArray<double> Numbers(OpOperands x) => x.Doubles(
        [x.Below(1000), .. Enumerable.Range(1, MaskNumbers - 1).Select(_ => 0.05 + (x.Below(1000) / 1100.0))]);

    // Writers with any number of edges, none too, in cells of which some are no edge.
    private static MaskLayout Layout(OpOperands x, bool gates)
    {
        int writers = x.Extent(20), edges = x.Extent(300), cells = edges + x.Below(20);
        int[] start = [0, .. Enumerable.Range(0, writers - 1).Select(_ => x.Below(edges + 1)).Order(), edges];
        int[] gateOf = [.. Enumerable.Range(0, writers).SelectMany(w => Enumerable.Repeat(w, start[w + 1] - start[w]))];
        DeviceArray<int> cell = x.Integers([.. x.Distinct(edges, cells).Order()]);
        return new MaskLayout(edges, cell, gates ? writers : 0, x.Integers(gateOf), x.Integers(start), cells);
    }

    private static MaskLayout Layout(WorkOperands x) =>
        new(Timed.Edges, x.Integers(Enumerable.Range(0, Timed.Edges)), 0, x.Integers(1), x.Integers(1), Timed.Edges);

    private static void Gradients(KernelOperands x) => x.Device.MaskGradients(
        x.Doubles(Counted.Edges), x.Masks(), x.Floats(Parameters), x.Floats(Parameters), 1, x.Doubles(MaskNumbers), x.Floats(Parameters));
}
