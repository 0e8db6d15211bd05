namespace Gradpath.Kernels.Cpu;

/// <summary>A product, or a batch of them, cut into parts for the workers.</summary>
internal unsafe struct GemmJob : IParallelJob
{
    private readonly SerialGemm _serial;
    private readonly RawMatrix _a;
    private readonly RawMatrix _b;
    private readonly RawMatrix _c;
    private readonly float* _bias;
    private readonly nint _stepA;
    private readonly nint _stepB;
    private readonly nint _stepC;
    private readonly int _batch;
    private readonly bool _accumulate;
    private readonly bool _unpacked;
    private readonly int _tileRows;
    private readonly int _tileColumns;
    private GemmPartition _cut;

    /// <summary>Describes the product.</summary>
    /// <param name="serial">What computes a part.</param>
    /// <param name="a">A of the first product.</param>
    /// <param name="b">B of the first product.</param>
    /// <param name="c">C of the first product.</param>
    /// <param name="bias">The bias row, or null.</param>
    /// <param name="options">Accumulation and batch.</param>
    public GemmJob(in SerialGemm serial, in RawMatrix a, in RawMatrix b, in RawMatrix c, float* bias, in GemmOptions options)
    {
        _serial = serial;
        _a = a;
        _b = b;
        _c = c;
        _bias = bias;
        _stepA = (nint)options.StepA;
        _stepB = (nint)options.StepB;
        _stepC = (nint)options.StepC;
        _batch = options.Batch;
        _accumulate = options.Accumulate;
        _unpacked = GemmDot.Suits(a, b);
        (_tileRows, _tileColumns) = _unpacked
            ? (serial.Kernel.MaxDotRows, GemmDotTile.MaxColumns)
            : (serial.Kernel.MaxRows, serial.Kernel.Columns);
    }

    /// <summary>Number of parts.</summary>
    public readonly int Parts => _batch * _cut.RowRanges * _cut.ColumnRanges;

    /// <summary>Cuts the product for a number of workers.</summary>
    /// <param name="workers">How many.</param>
    public void Cut(int workers) => _cut = GemmPartition.Choose(
        _c.Rows, _c.Columns, _a.OperandColumns, _batch, workers, _tileRows, _tileColumns);

    /// <inheritdoc />
    public readonly void Execute(int part, int worker)
    {
        (part, int column) = Math.DivRem(part, _cut.ColumnRanges);
        (int batch, int row) = Math.DivRem(part, _cut.RowRanges);
        int i = GemmPartition.Start(_c.Rows, _tileRows, row, _cut.RowRanges);
        int rows = GemmPartition.Start(_c.Rows, _tileRows, row + 1, _cut.RowRanges) - i;
        int j = GemmPartition.Start(_c.Columns, _tileColumns, column, _cut.ColumnRanges);
        int columns = GemmPartition.Start(_c.Columns, _tileColumns, column + 1, _cut.ColumnRanges) - j;
        int depth = _a.OperandColumns;
        RawMatrix a = _a.Part(i, rows, 0, depth).Moved(batch * _stepA);
        RawMatrix b = _b.Part(0, depth, j, columns).Moved(batch * _stepB);
        RawMatrix c = _c.Part(i, rows, j, columns).Moved(batch * _stepC);
        _serial.MultiplyPart(worker, _unpacked, a, b, c, _accumulate, _bias == null ? null : _bias + j);
    }
}
