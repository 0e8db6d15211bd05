namespace Gradpath.Kernels.Cpu;

/// <summary>The product on one thread, with the scratch memory of every worker; unmanaged, so that a parallel job can carry it.</summary>
/// <param name="kernel">The inner loops.</param>
/// <param name="scratch">One piece of scratch memory per worker, one after the other.</param>
internal readonly unsafe struct SerialGemm(GemmKernel kernel, float* scratch)
{
    /// <summary>The inner loops.</summary>
    public GemmKernel Kernel => kernel;

    /// <summary>Bytes of scratch memory for a number of workers.</summary>
    /// <param name="kernel">The inner loops.</param>
    /// <param name="workers">How many.</param>
    /// <returns>The size.</returns>
    public static nuint ScratchBytes(in GemmKernel kernel, int workers) =>
        (nuint)GemmPacked.ScratchLength(kernel) * (nuint)workers * sizeof(float);

    /// <summary>C = A B or C += A B, plus a bias row, by the calling thread alone.</summary>
    /// <param name="worker">Index of the thread that calls, as its job was given it; selects scratch memory.</param>
    /// <param name="a">[M, K] after transposition.</param>
    /// <param name="b">[K, N] after transposition.</param>
    /// <param name="c">[M, N], not transposed. Must not overlap A or B.</param>
    /// <param name="accumulate">Whether to add to C.</param>
    /// <param name="bias">N values to add to every row, or null.</param>
    /// <remarks>Shapes are not checked. Gives the same bits as <see cref="Device.Gemm"/>.</remarks>
    public void Multiply(int worker, in RawMatrix a, in RawMatrix b, in RawMatrix c, bool accumulate = false, float* bias = null) =>
        MultiplyPart(worker, GemmDot.Suits(a, b), a, b, c, accumulate, bias);

    /// <summary>A part of a product, in the way that was chosen for the whole of it.</summary>
    /// <param name="worker">Index of the thread that calls.</param>
    /// <param name="unpacked">What <see cref="GemmDot.Suits"/> says of the whole product.</param>
    /// <param name="a">[M, K] after transposition.</param>
    /// <param name="b">[K, N] after transposition.</param>
    /// <param name="c">[M, N].</param>
    /// <param name="accumulate">Whether to add to C.</param>
    /// <param name="bias">N values to add to every row, or null.</param>
    public void MultiplyPart(int worker, bool unpacked, in RawMatrix a, in RawMatrix b, in RawMatrix c, bool accumulate, float* bias)
    {
        if (unpacked) GemmDot.Multiply(kernel, a, b, c, bias, accumulate);
        else new GemmPacked(kernel, scratch + ((nint)worker * GemmPacked.ScratchLength(kernel))).Multiply(a, b, c, bias, accumulate);
    }
}
