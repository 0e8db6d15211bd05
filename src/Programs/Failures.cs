using Gradpath.Gpt2Runtime;
using Gradpath.Kernels;

namespace Gradpath.Programs;

/// <summary>What a program says when a command fails.</summary>
internal static class Failures
{
    private const string DebugVariable = "GRADPATH_DEBUG";

    /// <summary>Turns what a command throws into one line and an exit code.</summary>
    /// <param name="program">The program's name, which the line begins with.</param>
    /// <param name="run">The command.</param>
    /// <param name="terminal">Where the line goes.</param>
    /// <param name="cancellation">What stops the command.</param>
    /// <returns>The exit code, see <see cref="ExitCode"/>.</returns>
    public static int Guard(string program, Func<int> run, Terminal terminal, CancellationToken cancellation)
    {
        try
        {
            return run();
        }
        catch (UsageException e)
        {
            terminal.Error.WriteLine($"{program}: {e.Message}");
            return ExitCode.Usage;
        }
        catch (OptionException e)
        {
            terminal.Error.WriteLine($"{program}: {e.Describe(OptionNames.Of)}.");
            return ExitCode.Usage;
        }
        catch (StoppedException e)
        {
            terminal.Error.WriteLine($"{program}: {e.Message}");
            return ExitCode.Cancelled;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            terminal.Error.WriteLine($"{program}: stopped; no result was written.");
            return ExitCode.Cancelled;
        }
        catch (Exception e) when (e is GradpathException or DeviceException or IOException or UnauthorizedAccessException)
        {
            string message = (e as GradpathException)?.Describe(OptionNames.Of) ?? e.Message;
            terminal.Error.WriteLine(
                $"{program}: {message}{(e is DeviceException { IsOutOfMemory: true } ? "; use a smaller --batch-size" : "")}");
            if (Debug) terminal.Error.WriteLine(e);
            return ExitCode.Failure;
        }
        catch (Exception e)
        {
            string line = e.Message.ReplaceLineEndings(" ");
            terminal.Error.WriteLine(
                $"{program}: unexpected error: {e.GetType().Name}: {line} (this is a defect; {DebugVariable}=1 shows where it happened)");
            if (Debug) terminal.Error.WriteLine(e);
            return ExitCode.Failure;
        }
    }

    private static bool Debug => Environment.GetEnvironmentVariable(DebugVariable) is { Length: > 0 } and not "0";
}
