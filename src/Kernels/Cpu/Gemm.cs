namespace Gradpath.Kernels.Cpu;

// The product on the CPU. GemmJob cuts it into parts (GemmPartition), SerialGemm does a part on one thread: by packed blocks (GemmPacked,
// GemmPacking, GemmTileVector*.cs) or, where few rows meet few columns, by inner products (GemmDot, GemmDotTileVector*.cs). GemmKernel
// holds the inner loops of one vector width; GemmNaive is the definition that the tests and the benchmark start from.
public sealed unsafe partial class CpuDevice
{
    /// <summary>Products with fewer multiply-adds than this are done by the calling thread.</summary>
    private const long WorthSharing = 100_000;

    /// <summary>
    /// The product on raw pointers and on one thread, for use inside a parallel job: a job copies this value and calls
    /// <see cref="SerialGemm.Multiply"/> with the worker's index, which selects the scratch memory.
    /// </summary>
    internal SerialGemm SerialGemm => new(_gemmKernel, _gemmScratch);

    private protected override void GemmCore(in Matrix a, in Matrix b, in Matrix c, in GemmOptions options)
    {
        float* bias = options.Bias is null ? null : P(options.Bias);
        GemmJob job = new(SerialGemm, new(a), new(b), new(c), bias, options);
        long work = (long)c.Rows * c.Columns * a.OperandColumns * options.Batch;
        job.Cut(work < WorthSharing ? 1 : Workers);
        _pool.Run(ref job, job.Parts);
    }

    private protected override void GemmActivateCore(
        in Matrix a, in Matrix b, in Matrix x, Tensor bias, ActivationFunction function, Tensor output) =>
        MultiplyThenActivate(a, b, x, bias, function, output);

    private protected override void GemmMultiplyCore(in Matrix a, in Matrix b, in Matrix c, Tensor factors, int factorRows) =>
        MultiplyThenMultiplyRows(a, b, c, factors, factorRows);

    /// <summary>C = A B or C += A B, plus a bias row, by the calling thread alone: callable from inside a part of a parallel job.</summary>
    /// <param name="worker">Index of the thread that calls, as its job was given it; selects scratch memory.</param>
    /// <param name="a">[M, K] after transposition.</param>
    /// <param name="b">[K, N] after transposition.</param>
    /// <param name="c">[M, N], not transposed. Must not overlap A or B.</param>
    /// <param name="accumulate">Whether to add to C.</param>
    /// <param name="bias">N values to add to every row, or null.</param>
    /// <remarks>Shapes are not checked. Gives the same bits as <see cref="Device.Gemm"/>.</remarks>
    internal void GemmSerial(int worker, in RawMatrix a, in RawMatrix b, in RawMatrix c, bool accumulate = false, float* bias = null) =>
        SerialGemm.Multiply(worker, a, b, c, accumulate, bias);
}
