using Gradpath.Kernels.Circuits;

namespace Gradpath.Kernels.Checks;

/// <summary>The ops of Device.Masks.cs.</summary>
internal static class MaskChecks
{
    public static IReadOnlyList<OpCheck> All { get; } =
    [
        Check("SampleHardConcrete", (d, x) =>
        {
            // Parameters reach far enough to both sides for z to stick at 0 and at 1.
            int count = x.Extent(900);
            d.SampleHardConcrete(x.Draw(count, 6), count, 0x1234_5678_9abc_def0 + (ulong)x.Below(99), (uint)x.Below(1000), x.Out(count), x.Out(count));
        }),
        Check("PlaceMasks", (d, x) => Place(d, x, gates: false)),
        Check("PlaceMasks, with gates", (d, x) => Place(d, x, gates: true)),
        Check("MaskGradients", (d, x) => Gradients(d, x, gates: false)),
        Check("MaskGradients, with gates", (d, x) => Gradients(d, x, gates: true)),
        Check("AdamWStep", (d, x) =>
        {
            int count = x.Extent(900);
            AdamWStepOptions options = new(0.8, 0.01, 0.9, 0.999, 1e-8, 1 + x.Below(50), 0.5);
            d.AdamWStep(x.Draw(count), x.Draw(count), x.Draw(count, 0.1), x.Draw(count, 0.01, 0.02), count, options);
        }),
    ];

    private static OpCheck Check(string op, Action<Device, OpOperands> work) => OpChecks.Check("Masks", op, 1e-6, work);

    private static void Place(Device d, OpOperands x, bool gates)
    {
        MaskLayout layout = Layout(x, gates, out int cells);
        d.PlaceMasks(x.Draw(layout.Parameters), layout, x.Out(cells));
    }

    private static void Gradients(Device d, OpOperands x, bool gates)
    {
        MaskLayout layout = Layout(x, gates, out int cells);
        int n = layout.Parameters;
        d.MaskGradients(x.DrawDoubles(cells), layout, x.Draw(n), x.Draw(n), 0.3, 0.02, -0.05, x.Out(n));
    }

    // Writers with any number of edges, none too, in cells of which some are no edge.
    private static MaskLayout Layout(OpOperands x, bool gates, out int cells)
    {
        int writers = x.Extent(20), edges = x.Extent(300);
        cells = edges + x.Below(20);
        int[] start = [0, .. Enumerable.Range(0, writers - 1).Select(_ => x.Below(edges + 1)).Order(), edges];
        int[] gateOf = [.. Enumerable.Range(0, writers).SelectMany(w => Enumerable.Repeat(w, start[w + 1] - start[w]))];
        DeviceArray<int> cell = x.Integers([.. x.Distinct(edges, cells).Order()]);
        return new MaskLayout(edges, cell, gates ? writers : 0, x.Integers(gateOf), x.Integers(start), cells);
    }
}
