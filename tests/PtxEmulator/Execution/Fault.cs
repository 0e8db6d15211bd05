using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.PtxEmulator.Execution;

/// <summary>A thread did what it must not do.</summary>
internal sealed class FaultException(CudaResult result, int line, string what) : Exception(what)
{
    public CudaResult Result { get; } = result;

    /// <summary>Line of the PTX, or 0.</summary>
    public int Line { get; } = line;

    /// <summary>The address in question, or 0.</summary>
    public ulong Address { get; init; }

    /// <summary>Memory was read that holds nothing.</summary>
    public bool Unwritten { get; init; }

    /// <summary>The thread where it is not the running one.</summary>
    public int Thread { get; init; } = -1;
}
