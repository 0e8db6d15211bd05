using System.Linq.Expressions;
using Gradpath.Kernels;

namespace Gradpath.Diagnostics.Ops.Families;

/// <summary>The ops of Device.Rows.cs. All but Combine round at most once per element, so devices agree to the bit.</summary>
internal static class RowOps
{
    private const int Rows = 40;
    private const int Width = 130;

    // One multiplication may be fused with the addition.
    private const double Fused = 5e-7;

    public static IReadOnlyList<OpRow> All { get; } =
    [
        new("Rows", "GatherRows")
        {
            Cases =
            [
                new("", 0, x => Gather(x, Addend.None)),
                new("with an addend", 0, x => Gather(x, Addend.Own)),
                new("onto its addend", 0, x => Gather(x, Addend.Output)),
            ],
            Works = [new(Timed.AllRowsShape, 0, 2 * Timed.Float * Timed.AllElements, x =>
            {
                Tensor table = x.Tensor(Timed.Vocabulary, Timed.Width), output = x.Tensor(Timed.AllRows, Timed.Width);
                DeviceArray<int> indices = x.Integers(Enumerable.Range(0, Timed.AllRows).Select(i => i * 7919 % Timed.Vocabulary));
                return () => x.Device.GatherRows(table, indices, Timed.AllRows, Timed.Width, output);
            })],
            Kernels = [new("gatherRows", Counted.RowsShape, 2 * Counted.Rows * Counted.RowBytes, x =>
                x.Device.GatherRows(x.Rows(Counted.Tall), Spread(x), Counted.Rows, Counted.Width, x.Rows(Counted.Rows)))],
            Writes = ["output"],
            MayWriteTo = ["addend"],
        },
        new("Rows", "GatherBlocks")
        {
            Cases = [new("", 0, x =>
            {
                int blocks = x.Extent(5), rows = x.Extent(Rows), count = x.Extent(Rows), width = x.Extent(Width);
                DeviceArray<int> indices = x.Integers([.. Enumerable.Range(0, count).Select(_ => x.Below(rows))]);
                Tensor table = x.Draw((long)blocks * rows * width), output = x.Out((long)blocks * count * width);
                return d => d.GatherBlocks(table, rows, indices, count, blocks, width, output);
            })],
            Works = [new($"{Timed.Pairs} rows of {Timed.AllRowsShape}, 8 blocks", 0, 16 * Timed.Float * Timed.Pairs * Timed.Width, x =>
            {
                Tensor table = x.Tensor(8, Timed.AllRows, Timed.Width), output = x.Tensor(8, Timed.Pairs, Timed.Width);
                DeviceArray<int> indices = x.Integers(Enumerable.Range(0, Timed.Pairs).Select(i => i * Timed.AllRows / Timed.Pairs));
                return () => x.Device.GatherBlocks(table, Timed.AllRows, indices, Timed.Pairs, 8, Timed.Width, output);
            })],
            Kernels = [new("gatherRows", "8 rows of 24 x 768, 4 blocks", 2 * 4 * 8 * Counted.RowBytes, x => x.Device.GatherBlocks(
                x.Rows(4 * Counted.Rows), Counted.Rows, x.Integers(Enumerable.Range(0, 8).Select(i => 3 * i)), 8, 4, Counted.Width,
                x.Rows(4 * 8)))],
            Writes = ["output"],
        },
        new("Rows", "ScatterAddRows")
        {
            Cases = [new("", 0, x =>
            {
                int count = x.Extent(Rows), width = x.Extent(Width), rows = count + x.Extent(9);
                Tensor source = x.Draw((long)count * width), target = x.Draw((long)rows * width);
                DeviceArray<int> indices = x.Integers(x.Distinct(count, rows));
                return d => d.ScatterAddRows(source, indices, count, width, target);
            })],
            Works = [new(Timed.AllRowsShape, Timed.AllElements, 3 * Timed.Float * Timed.AllElements, x =>
            {
                Tensor source = x.Tensor(Timed.AllRows, Timed.Width), target = x.Tensor(Timed.AllRows, Timed.Width);
                DeviceArray<int> indices = x.Integers(Enumerable.Range(0, Timed.AllRows).Reverse());
                return () => x.Device.ScatterAddRows(source, indices, Timed.AllRows, Timed.Width, target);
            })],
            Kernels = [new("scatterAddRows", Counted.RowsShape, 3 * Counted.Rows * Counted.RowBytes, x =>
                x.Device.ScatterAddRows(x.Rows(Counted.Rows), Spread(x), Counted.Rows, Counted.Width, x.Rows(Counted.Tall)))],
            Writes = ["target"],
        },
        new("Rows", "Combine")
        {
            Cases =
            [
                new("", Fused, x =>
                {
                    int n = Length(x);
                    Tensor a = x.Draw(n), b = x.Draw(n), output = x.Out(n);
                    return d => d.Combine(0.75f, a, -1.3f, b, n, output);
                }),
                new("onto its first operand", Fused, x =>
                {
                    int n = Length(x);
                    Tensor a = x.Draw(n), b = x.Draw(n);
                    return d => d.Combine(0.2f, a, 0.8f, b, n, a);
                }),
                new("onto its second operand", Fused, x =>
                {
                    int n = Length(x);
                    Tensor b = x.Draw(n), a = x.Draw(n);
                    return d => d.Combine(1, a, -1, b, n, b);
                }),
                new("without the second operand", 0, x =>
                {
                    int n = Length(x);
                    Tensor a = x.Draw(n), b = x.Constant(n, float.NaN), output = x.Out(n);
                    return d => d.Combine(1.7f, a, 0, b, n, output);
                }),
            ],
            Works = [new(Timed.AllRowsShape, 3 * Timed.AllElements, 3 * Timed.Float * Timed.AllElements, x =>
            {
                Tensor a = x.Tensor(Timed.AllRows, Timed.Width);
                Tensor b = x.Tensor(Timed.AllRows, Timed.Width);
                Tensor output = x.Tensor(Timed.AllRows, Timed.Width);
                return () => x.Device.Combine(0.2f, a, 0.8f, b, (long)Timed.AllElements, output);
            })],
            Kernels = [new("combine", Counted.RowsShape, 3 * Counted.Rows * Counted.RowBytes, x =>
                x.Device.Combine(
                    0.5f, x.Rows(Counted.Rows), 0.5f, x.Rows(Counted.Rows), Counted.Rows * Counted.Width, x.Rows(Counted.Rows)))],
            Writes = ["output"],
            MayWriteTo = ["a", "b"],
        },
        new("Rows", "CombineBlocks")
        {
            Cases =
            [
                new("", Fused, x => Blocks(x, false, 0)),
                new("with factors", Fused, x => Blocks(x, true, 0)),
                new("onto its first operand", Fused, x => Blocks(x, true, 1)),
                new("onto its second operand", Fused, x => Blocks(x, false, 2)),
                new("without the second operand", 0, x => Blocks(x, true, 3)),
            ],
            Works = [new($"4 blocks of {Timed.AllRowsShape}", 16 * Timed.AllElements, 12 * Timed.Float * Timed.AllElements, x =>
            {
                Matrix a = x.Tensor(4, Timed.AllRows * Timed.Width).AsMatrix(), b = x.Tensor(4, Timed.AllRows * Timed.Width).AsMatrix();
                Tensor factors = x.Tensor(Timed.AllRows);
                return () => x.Device.CombineBlocks(0.2f, a, 0.8f, b, factors, Timed.Width, a);
            })],
            Kernels = [new("combineBlocks", "4 blocks of 24 x 768", 3 * 4 * Counted.Rows * Counted.RowBytes, x =>
            {
                Matrix a = x.Rows(4 * Counted.Rows).AsMatrix(4, Counted.Rows * Counted.Width);
                Matrix b = x.Rows(4 * Counted.Rows).AsMatrix(4, Counted.Rows * Counted.Width);
                x.Device.CombineBlocks(1, a, -1, b, x.Floats(Counted.Rows), Counted.Width, a);
            })],
            Writes = ["output"],
            MayWriteTo = ["a.Storage", "b.Storage"],
        },
        new("Rows", "Fill")
        {
            Cases = [new("", 0, x =>
            {
                int n = Length(x);
                Tensor target = x.Out(n + x.Spare(9));
                return d => d.Fill(target, -2.25f, n);
            })],
            Works = [new(Timed.AllRowsShape, 0, Timed.Float * Timed.AllElements, x =>
            {
                Tensor target = x.Tensor(Timed.AllRows, Timed.Width);
                return () => x.Device.Fill(target, 0, (long)Timed.AllElements);
            })],
            Kernels =
            [
                new(
                    "fill",
                    Counted.RowsShape,
                    Counted.Rows * Counted.RowBytes,
                    x => x.Device.Fill(x.Rows(Counted.Rows), 1, Counted.Rows * Counted.Width)),
            ],
            Writes = ["target"],
        },
        new("Rows", "ScaleRows")
        {
            Cases = [new("", 0, x => Scale(x, inPlace: false)), new("in place", 0, x => Scale(x, inPlace: true))],
            Works = [new(Timed.AllRowsShape, Timed.AllElements, 2 * Timed.Float * Timed.AllElements, x =>
            {
                Tensor values = x.Tensor(Timed.AllRows, Timed.Width);
                Tensor output = x.Tensor(Timed.AllRows, Timed.Width);
                Tensor factors = x.Tensor(Timed.Rows);
                return () => x.Device.ScaleRows(values, factors, Timed.Rows, Timed.AllRows, Timed.Width, output);
            })],
            Kernels = [new("scaleRows", Counted.RowsShape, 2 * Counted.Rows * Counted.RowBytes, x =>
                x.Device.ScaleRows(
                    x.Rows(Counted.Rows), x.Floats(Counted.Rows), Counted.Rows, Counted.Rows, Counted.Width, x.Rows(Counted.Rows)))],
            Writes = ["output"],
            MayWriteTo = ["x"],
        },
        new("Rows", "SubtractRows")
        {
            Cases = [new("", 0, x =>
            {
                int period = x.Extent(9), rows = (period * x.Extent(4)) + x.Below(period), width = x.Extent(Width);
                Tensor values = x.Draw((long)rows * width), other = x.Draw((long)period * width);
                return d => d.SubtractRows(values, other, period, rows, width);
            })],
            Works = [new(
                $"{Timed.AllRowsShape}, period {Timed.Rows}", Timed.AllElements,
                (2 * Timed.Float * Timed.AllElements) + (Timed.Float * Timed.Rows * Timed.Width), x =>
                {
                    Tensor values = x.Tensor(Timed.AllRows, Timed.Width), other = x.Tensor(Timed.Rows, Timed.Width);
                    return () => x.Device.SubtractRows(values, other, Timed.Rows, Timed.AllRows, Timed.Width);
                })],
            Kernels = [new("subtractRows", Counted.RowsShape, 3 * Counted.Rows * Counted.RowBytes, x =>
                x.Device.SubtractRows(x.Rows(Counted.Rows), x.Rows(Counted.Rows), Counted.Rows, Counted.Rows, Counted.Width))],
            Writes = ["x"],
        },
        new("Rows", "CopyMatrix")
        {
            Cases = [new("", 0, x =>
            {
                int rows = x.Extent(Rows);
                int columns = x.Extent(Width);
                int from = columns + x.Below(7);
                int to = columns + x.Below(7);
                int first = x.Below(5);
                int second = x.Below(5);
                Matrix source = new(x.Draw(first + Span(rows, columns, from)), first, rows, columns, from);
                Matrix target = new(x.Out(second + Span(rows, columns, to)), second, rows, columns, to);
                return d => d.CopyMatrix(source, target);
            })],
            Works = [new($"{Timed.AllRowsShape} of {3 * Timed.Width}", 0, 2 * Timed.Float * Timed.AllElements, x =>
            {
                Matrix source = x.Tensor(Timed.AllRows, 3 * Timed.Width).AsMatrix().SliceColumns(Timed.Width, Timed.Width);
                Matrix target = x.Tensor(Timed.AllRows, Timed.Width).AsMatrix();
                return () => x.Device.CopyMatrix(source, target);
            })],
            Kernels =
            [
                new(
                    "copyMatrix",
                    "24 x 64 of 768",
                    2 * Counted.Rows * Counted.HeadWidth * Counted.Float,
                    x => x.Device.CopyMatrix(Head(x, 3), Head(x, 5))),
            ],
            Writes = ["target"],
        },
        new("Rows", "CopyBlock")
        {
            Cases = [new("", 0, x =>
            {
                (int n, int from, int to) = Block(x);
                Tensor source = x.Draw(from + n + x.Spare(3)), target = x.Out(to + n + x.Spare(3));
                return d => d.CopyBlock(source, from, target, to, n);
            })],
            Works = [new(Timed.AllRowsShape, 0, 2 * Timed.Float * Timed.AllElements, x =>
            {
                Tensor source = x.Tensor(Timed.AllRows, Timed.Width), target = x.Tensor(Timed.AllRows, Timed.Width);
                return () => x.Device.CopyBlock(source, 0, target, 0, (long)Timed.AllElements);
            })],
            Kernels = [],
            Writes = ["target"],
        },
        new("Rows", "AddBlock")
        {
            Cases = [new("", 0, x =>
            {
                (int n, int from, int to) = Block(x);
                Tensor source = x.Draw(from + n + x.Spare(3)), target = x.Draw(to + n + x.Spare(3));
                return d => d.AddBlock(source, from, target, to, n);
            })],
            Works = [new(Timed.AllRowsShape, Timed.AllElements, 3 * Timed.Float * Timed.AllElements, x =>
            {
                Tensor source = x.Tensor(Timed.AllRows, Timed.Width), target = x.Tensor(Timed.AllRows, Timed.Width);
                return () => x.Device.AddBlock(source, 0, target, 0, (long)Timed.AllElements);
            })],
            Kernels = [],
            Writes = ["target"],
        },
        new("Rows", "MirrorUpperTriangle")
        {
            Cases = [new("", 0, x =>
            {
                int size = x.Extent(70);
                Tensor matrix = x.Draw((long)size * size);
                return d => d.MirrorUpperTriangle(matrix, size);
            })],
            Works = [new($"{Timed.Width} x {Timed.Width}", 0, Timed.Float * Timed.Width * Timed.Width, x =>
            {
                Tensor matrix = x.Tensor(Timed.Width, Timed.Width);
                return () => x.Device.MirrorUpperTriangle(matrix, Timed.Width);
            })],
            Kernels =
            [
                new(
                    "mirrorUpperTriangle",
                    "768 x 768",
                    Counted.Width * Counted.RowBytes,
                    x => x.Device.MirrorUpperTriangle(x.Rows(Counted.Width), Counted.Width)) { MostConflicts = 0.02 },
            ],
            Writes = ["matrix"],
        },
    ];

    private enum Addend
    {
        None,
        Own,
        Output,
    }

    private static int Length(OpOperands x) => x.Extent(3000);

    private static (int Length, int From, int To) Block(OpOperands x) => (Length(x), x.Below(9), x.Below(9));

    // What a rectangle with a stride takes.
    private static long Span(int rows, int columns, int stride) => ((rows - 1L) * stride) + columns;

    private static Expression<Action<Device>> Gather(OpOperands x, Addend kind)
    {
        int rows = x.Extent(Rows), count = x.Extent(Rows), width = x.Extent(Width);
        DeviceArray<int> indices = x.Integers([.. Enumerable.Range(0, count).Select(_ => x.Below(rows))]);
        long n = (long)count * width;
        Tensor table = x.Draw((long)rows * width);
        Tensor? addend = kind == Addend.None ? null : x.Draw(n);
        Tensor output = kind == Addend.Output ? addend! : x.Out(n);
        return d => d.GatherRows(table, indices, count, width, output, addend);
    }

    // Onto: 0 for an output of its own, 1 and 2 for the operands, 3 for a second operand that is not read.
    private static Expression<Action<Device>> Blocks(OpOperands x, bool scaled, int onto)
    {
        int blocks = x.Extent(5), rows = x.Extent(9), width = x.Extent(60), columns = rows * width, stride = columns + x.Below(7);
        Matrix a = Place(n => x.Draw(n)), b = Place(onto == 3 ? n => x.Constant(n, float.NaN) : n => x.Draw(n));
        Tensor? factors = scaled ? x.Draw(rows) : null;
        Matrix output = onto switch { 1 => a, 2 => b, _ => Place(x.Out) };
        float beta = onto == 3 ? 0 : -1.3f;
        return d => d.CombineBlocks(0.75f, a, beta, b, factors, width, output);

        Matrix Place(Func<long, Tensor> make)
        {
            int first = x.Below(5);
            return new Matrix(make(first + Span(blocks, columns, stride)), first, blocks, columns, stride);
        }
    }

    private static Expression<Action<Device>> Scale(OpOperands x, bool inPlace)
    {
        int period = x.Extent(9), rows = (period * x.Extent(4)) + x.Below(period), width = x.Extent(Width);
        Tensor values = x.Draw((long)rows * width), factors = x.Draw(period), output = inPlace ? values : x.Out((long)rows * width);
        return d => d.ScaleRows(values, factors, period, rows, width, output);
    }

    private static DeviceArray<int> Spread(KernelOperands x) => x.Integers(Enumerable.Range(0, Counted.Rows).Select(i => 2 * i % 49));

    private static Matrix Head(KernelOperands x, int head) =>
        x.Rows(Counted.Rows).AsMatrix(Counted.Rows, Counted.Width).SliceColumns(head * Counted.HeadWidth, Counted.HeadWidth);
}
