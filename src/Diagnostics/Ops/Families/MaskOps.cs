using System.Linq.Expressions;
using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;

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
                uint step = (uint)x.Below(1000);
                Tensor logAlpha = x.Draw(count, 6), z = x.Out(count), slope = x.Out(count);
                return d => d.SampleHardConcrete(logAlpha, count, seed, step, z, slope);
            })],

            // Ten rounds of Philox are 20 products of integers, which are no flops.
            Works = [new(TimedShape, 14.0 * Timed.Edges, 3 * Timed.Float * Timed.Edges, x =>
            {
                Tensor logAlpha = x.Tensor(Timed.Edges), z = x.Tensor(Timed.Edges), slope = x.Tensor(Timed.Edges);
                return () => x.Device.SampleHardConcrete(logAlpha, Timed.Edges, 1, 1, z, slope);
            })],
            Kernels = [new("sampleHardConcrete", CountedShape, 3 * Counted.Float * Counted.Edges, x =>
                x.Device.SampleHardConcrete(
                    x.Floats(Counted.Edges), Counted.Edges, 1, 1, x.Floats(Counted.Edges), x.Floats(Counted.Edges)))],
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
                DeviceArray<double> scores = x.Doubles(Timed.Edges, 1);
                return () => x.Device.MaskGradients(scores, layout, z, slope, 1, 0.1, 0.1, gradient);
            })],
            Kernels =
            [
                new(
                    "edgeMaskGradients",
                    GatedShape,
                    (Counted.Double * Counted.Edges) + (Counted.Float * ((4 * Counted.Edges) + Counted.Gates)),
                    Gradients),
                new(
                    "gateMaskGradients",
                    GatedShape,
                    (Counted.Double * Counted.Edges) + (Counted.Float * ((2 * Counted.Edges) + (3 * Counted.Gates))),
                    Gradients) { MostTraffic = 1.31 },
            ],
            Writes = ["gradient"],
        },
        new("Masks", "AdamWStep")
        {
            Cases = [new("", Allowed, x =>
            {
                int count = x.Extent(900);
                AdamWStepOptions options = new(0.8, 0.01, 0.9, 0.999, 1e-8, 1 + x.Below(50), 0.5);
                Tensor p = x.Draw(count), g = x.Draw(count), m = x.Draw(count, 0.1), v = x.Draw(count, 0.01, 0.02);
                return d => d.AdamWStep(p, g, m, v, count, options);
            })],
            Works = [new(TimedShape, 16.0 * Timed.Edges, 7 * Timed.Float * Timed.Edges, x =>
            {
                Tensor p = x.Tensor(Timed.Edges), g = x.Tensor(Timed.Edges), m = x.Tensor(Timed.Edges), v = x.Tensor(Timed.Edges);
                AdamWStepOptions options = new(1e-6, 0, 0.9, 0.999, 1e-8, 10, 1);
                return () => x.Device.AdamWStep(p, g, m, v, Timed.Edges, options);
            })],
            Kernels = [new("adamWStep", CountedShape, 7 * Counted.Float * Counted.Edges, x => x.Device.AdamWStep(
                x.Floats(Counted.Edges), x.Floats(Counted.Edges), x.Floats(Counted.Edges), x.Positive(Counted.Edges), Counted.Edges,
                new AdamWStepOptions(1e-3, 0, 0.9, 0.999, 1e-8, 10, 1)))],
            Writes = ["parameters", "firstMoment", "secondMoment"],
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
        return d => d.MaskGradients(scores, layout, z, slope, 0.3, 0.02, -0.05, gradient);
    }

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
        x.Doubles(Counted.Edges), x.Masks(), x.Floats(Parameters), x.Floats(Parameters), 1, 0.1, 0.1, x.Floats(Parameters));
}
