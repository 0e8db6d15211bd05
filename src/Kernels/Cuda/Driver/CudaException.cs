namespace Gradpath.Kernels.Cuda.Driver;

/// <summary>A call of the CUDA driver failed.</summary>
internal sealed class CudaException : Exception
{
    /// <summary>Names the call, its result and what that means.</summary>
    /// <param name="call">Name of the driver's function.</param>
    /// <param name="result">What it returned.</param>
    /// <param name="detail">What else is known: a compiler's log, the kernel.</param>
    public CudaException(string call, CudaResult result, string? detail = null)
        : base($"{call}: {result.Meaning()} (CUDA error {(int)result}){(detail is null ? "" : $": {detail}")}")
    {
        Call = call;
        Result = result;
    }

    public string Call { get; }

    public CudaResult Result { get; }
}
