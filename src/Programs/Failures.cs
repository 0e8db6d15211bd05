using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gradpath.Gpt2Runtime;
using Gradpath.Kernels;
using Gradpath.Programs.Reporting;

namespace Gradpath.Programs;

/// <summary>What a program says when a command fails.</summary>
internal static partial class Failures
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
            return Fail(terminal, program, [e.Message], ExitCode.Usage);
        }
        catch (OptionException e)
        {
            return Fail(terminal, program, [$"{e.Describe(OptionNames.Of)}."], ExitCode.Usage);
        }
        catch (OperationCanceledException e) when (cancellation.IsCancellationRequested)
        {
            int code = (terminal.StoppedBy ?? StopCause.Interrupt).ExitCode;
            return Fail(terminal, program, [Stopped(terminal, e as StoppedException)], code);
        }
        catch (Exception e) when (e is GradpathException or DeviceException or IOException or UnauthorizedAccessException)
        {
            string message = e switch
            {
                GradpathException own => own.Describe(OptionNames.Of),
                FileNotFoundException { FileName: { Length: > 0 } file } => UnreadableFile.Of(file, e).Message,

                // A compiler's log has lines.
                DeviceException device => device.Message.ReplaceLineEndings(" "),
                _ => e.Message,
            };
            string advice = e switch
            {
                DeviceException { IsOutOfMemory: true } when HasBatchSize(terminal) => "; use a smaller --batch-size",
                DeviceException { Advice: { } words } => $"; try {words}",
                _ => "",
            };
            int code = Fail(terminal, program, [message + advice], ExitCode.Failure);
            if (Debug) terminal.Error.WriteLine(e);
            return code;
        }
        catch (Exception e)
        {
            string line = e.Message.ReplaceLineEndings(" ");
            string message =
                $"unexpected error: {e.GetType().Name}: {line} (this is a defect; {DebugVariable}=1 shows where it happened)";
            int code = Fail(terminal, program, [message], ExitCode.Failure);
            if (Debug) terminal.Error.WriteLine(e);
            return code;
        }
    }

    /// <summary>What is said of a command that was stopped.</summary>
    /// <param name="terminal">Knows what stopped it.</param>
    /// <param name="saved">What it has saved; null for nothing.</param>
    public static string Stopped(Terminal terminal, StoppedException? saved = null) =>
        $"stopped{(terminal.StoppedBy ?? StopCause.Interrupt).By}{saved?.Saved ?? "; no result was written."}";

    /// <summary>Says why a command failed: lines on the error stream and, where JSON is asked for, an object on standard output.</summary>
    /// <param name="terminal">Where to.</param>
    /// <param name="program">The program's name, which every line begins with.</param>
    /// <param name="messages">What is wrong, a line each.</param>
    /// <param name="code">The exit code.</param>
    /// <param name="advice">A last line without the program's name, or null.</param>
    /// <returns>The exit code.</returns>
    public static int Fail(Terminal terminal, string program, IReadOnlyList<string> messages, int code, string? advice = null)
    {
        // A value that came from a variable is nowhere on the command line.
        string? option = NamedOption().Match(messages[0]) is { Success: true } named ? named.Value : null;
        messages = [.. messages.Select(m => NamedOption().Match(m) is { Success: true } match
            && terminal.FromEnvironment.TryGetValue(match.Value[2..], out string? variable) ? $"{variable} gives {m}" : m)];
        foreach (string message in messages) terminal.Error.WriteLine($"{program}: {message}");
        if (advice is not null) terminal.Error.WriteLine(advice);
        if (!terminal.Json) return code;
        JsonObject json = CommandReport.JsonOf(terminal.Verb, code);
        json["error"] = new JsonObject
        {
            ["message"] = string.Join('\n', messages),
            ["option"] = option,
            ["exit_code"] = code,
        };
        json["warnings"] = ReportJson.Node(terminal.Warnings);
        try
        {
            ReportJson.Write(terminal.Out, json);
        }
        catch (IOException)
        {
            // Nobody can be told there; the line stands on the error stream.
        }
        return code;
    }

    private static bool HasBatchSize(Terminal terminal) =>
        terminal.Options is { } options && OptionWords.Find(options, "batch-size") is not null;

    private static bool Debug => Environment.GetEnvironmentVariable(DebugVariable) is { Length: > 0 } and not "0";

    // Messages about an option begin with it.
    [GeneratedRegex("^--[a-z][a-z-]*")]
    private static partial Regex NamedOption();
}
