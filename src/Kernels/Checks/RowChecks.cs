namespace Gradpath.Kernels.Checks;

/// <summary>The ops of Device.Rows.cs. All but Combine round at most once per element, so devices agree to the bit.</summary>
internal static class RowChecks
{
    private const int Rows = 40;
    private const int Width = 130;

    public static IReadOnlyList<OpCheck> All { get; } =
    [
        Exact("GatherRows", (d, x) => Gather(d, x, Addend.None)),
        Exact("GatherRows, with an addend", (d, x) => Gather(d, x, Addend.Own)),
        Exact("GatherRows, onto its addend", (d, x) => Gather(d, x, Addend.Output)),
        Exact("ScatterAddRows", (d, x) =>
        {
            int count = x.Extent(Rows), width = x.Extent(Width), rows = count + x.Extent(9);
            d.ScatterAddRows(x.Draw((long)count * width), x.Integers(x.Distinct(count, rows)), count, width, x.Draw((long)rows * width));
        }),
        Combine("Combine", (d, x, n) => d.Combine(0.75f, x.Draw(n), -1.3f, x.Draw(n), n, x.Out(n))),
        Combine("Combine, onto its first operand", (d, x, n) =>
        {
            Tensor a = x.Draw(n);
            d.Combine(0.2f, a, 0.8f, x.Draw(n), n, a);
        }),
        Combine("Combine, onto its second operand", (d, x, n) =>
        {
            Tensor b = x.Draw(n);
            d.Combine(1, x.Draw(n), -1, b, n, b);
        }),
        Exact("Combine, without the second operand", (d, x) =>
        {
            int n = Length(x);
            d.Combine(1.7f, x.Draw(n), 0, x.Constant(n, float.NaN), n, x.Out(n));
        }),
        Exact("Fill", (d, x) =>
        {
            int n = Length(x);
            d.Fill(x.Out(n + x.Below(9)), -2.25f, n);
        }),
        Exact("ScaleRows", (d, x) => Scale(d, x, inPlace: false)),
        Exact("ScaleRows, in place", (d, x) => Scale(d, x, inPlace: true)),
        Exact("CopyBlock", (d, x) => Block(x, x.Out, d.CopyBlock)),
        Exact("AddBlock", (d, x) => Block(x, n => x.Draw(n), d.AddBlock)),
        Exact("CopyMatrix", (d, x) =>
        {
            int rows = x.Extent(Rows), columns = x.Extent(Width), from = columns + x.Below(7), to = columns + x.Below(7), first = x.Below(5), second = x.Below(5);
            Matrix source = new(x.Draw(first + ((long)rows * from)), first, rows, columns, from);
            d.CopyMatrix(source, new Matrix(x.Out(second + ((long)rows * to)), second, rows, columns, to));
        }),
        Exact("SubtractRows", (d, x) =>
        {
            int period = x.Extent(9), rows = (period * x.Extent(4)) + x.Below(period), width = x.Extent(Width);
            d.SubtractRows(x.Draw((long)rows * width), x.Draw((long)period * width), period, rows, width);
        }),
        Exact("MirrorUpperTriangle", (d, x) =>
        {
            int size = x.Extent(70);
            d.MirrorUpperTriangle(x.Draw((long)size * size), size);
        }),
    ];

    private enum Addend
    {
        None,
        Own,
        Output,
    }

    private static OpCheck Exact(string op, Action<Device, OpOperands> work) => OpChecks.Check("Rows", op, 0, work);

    // One multiplication may be fused with the addition.
    private static OpCheck Combine(string op, Action<Device, OpOperands, int> work) => OpChecks.Check("Rows", op, 5e-7, (d, x) => work(d, x, Length(x)));

    private static int Length(OpOperands x) => x.Extent(3000);

    private static void Gather(Device d, OpOperands x, Addend kind)
    {
        int rows = x.Extent(Rows), count = x.Extent(Rows), width = x.Extent(Width);
        DeviceArray<int> indices = x.Integers([.. Enumerable.Range(0, count).Select(_ => x.Below(rows))]);
        Tensor table = x.Draw((long)rows * width);
        long n = (long)count * width;
        Tensor? addend = kind == Addend.None ? null : x.Draw(n);
        d.GatherRows(table, indices, count, width, kind == Addend.Output ? addend! : x.Out(n), addend);
    }

    private static void Scale(Device d, OpOperands x, bool inPlace)
    {
        int period = x.Extent(9), rows = (period * x.Extent(4)) + x.Below(period), width = x.Extent(Width);
        Tensor values = x.Draw((long)rows * width);
        d.ScaleRows(values, x.Draw(period), period, rows, width, inPlace ? values : x.Out((long)rows * width));
    }

    private static void Block(OpOperands x, Func<long, Tensor> target, Action<Tensor, long, Tensor, long, long> op)
    {
        int n = Length(x), from = x.Below(9), to = x.Below(9);
        op(x.Draw(from + n + 2), from, target(to + n + 2), to, n);
    }
}
