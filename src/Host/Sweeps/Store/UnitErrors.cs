using Gradpath.Gpt2Runtime;
using Gradpath.Kernels;

namespace Gradpath.Host.Sweeps.Store;

/// <summary>What is recorded of a unit that has failed.</summary>
internal static class UnitErrors
{
    private static readonly int[] s_fullDisk = [28, 122, unchecked((int)0x80070070), unchecked((int)0x80070027)];

    /// <summary>The reason in a line, and the exit code that a command of its own would have ended with.</summary>
    /// <param name="error">What was caught.</param>
    public static (string Error, int Exit) Of(Exception error) => error switch
    {
        UsageException e => (e.Message, ExitCode.Usage),
        OptionException e => ($"{e.Describe(OptionNames.Of)}.", ExitCode.Usage),
        GradpathException e => (e.Describe(OptionNames.Of), ExitCode.Failure),
        DeviceException { IsOutOfMemory: true } e => ($"{e.Message}; a smaller batch size needs less", ExitCode.Failure),
        DeviceException or IOException or UnauthorizedAccessException => (error.Message, ExitCode.Failure),
        OutOfMemoryException => ("out of memory; a smaller batch size needs less", ExitCode.Failure),
        _ => ($"unexpected error: {error.GetType().Name}: {error.Message.ReplaceLineEndings(" ")} (this is a defect)", ExitCode.Failure),
    };

    /// <summary>Whether a disk is full, which is no fault of the unit.</summary>
    /// <param name="error">What was caught.</param>
    public static bool IsFullDisk(Exception error)
    {
        for (Exception? e = error; e is not null; e = e.InnerException)
        {
            if (e is IOException && Array.IndexOf(s_fullDisk, e.HResult) >= 0) return true;
        }
        return false;
    }
}
