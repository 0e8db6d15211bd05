using Gradpath.Kernels;
using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Diagnostics.SelfTest;

/// <summary>A check that could not be done, in a line: what happened, and what to try.</summary>
internal static class Faults
{
    /// <summary>The line.</summary>
    /// <param name="e">What was thrown.</param>
    /// <param name="stage">The stage.</param>
    /// <param name="check">The check.</param>
    public static string Of(Exception e, string stage, string check)
    {
        string what = e is DeviceException ? e.Message : $"{e.GetType().Name}: {e.Message}";
        return OneLine($"{what}; try {Advice((e.InnerException as CudaException)?.Result, Alone(stage, check))}");
    }

    /// <summary>The line where the device cannot be opened again after an earlier fault.</summary>
    /// <param name="e">What was thrown.</param>
    /// <param name="stage">The stage.</param>
    /// <param name="left">How many of its checks are not done.</param>
    public static string OfOpening(DeviceException e, string stage, int left) => OneLine(
        $"{e.Message}; {left} checks of this stage are not done; try the stage {stage} in a new process");

    private static string Advice(CudaResult? result, string alone) => result switch
    {
        CudaResult.InvalidPtx or CudaResult.UnsupportedPtxVersion or CudaResult.NoBinaryForGpu => "a newer NVIDIA driver",
        CudaResult.OutOfMemory => "again once other programs have left the GPU",
        CudaResult.LaunchTimeout => "a GPU that drives no display",
        CudaResult.EccUncorrectable => "a reset of the GPU, or another one",
        { } sticky when sticky.IsSticky() => $"compute-sanitizer with {alone}",
        _ => alone,
    };

    private static string Alone(string stage, string check) => $"the stage {stage} with the check \"{check}\" alone";

    private static string OneLine(string text) => string.Join(' ', text.Split((char[])['\r', '\n'], StringSplitOptions.RemoveEmptyEntries));
}
