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

    // A kernel that went wrong is looked at alone.
    private static string Advice(CudaResult? result, string alone) =>
        result is not { } code ? alone : code.IsOfKernel() ? $"compute-sanitizer with {alone}" : code.Advice() ?? alone;

    private static string Alone(string stage, string check) => $"the stage {stage} with the check \"{check}\" alone";

    private static string OneLine(string text) => string.Join(' ', text.Split((char[])['\r', '\n'], StringSplitOptions.RemoveEmptyEntries));
}
