using System.Text;

namespace Gradpath.Programs;

/// <summary>A program's process: standard streams in UTF-8, and Ctrl-C.</summary>
internal static class ConsoleProcess
{
    /// <summary>
    /// Runs a program on the process's streams. Ctrl-C asks it to stop at the next batch; a second one ends the process at once.
    /// </summary>
    /// <param name="program">The program.</param>
    /// <returns>The exit code.</returns>
    public static int Run(Func<Terminal, CancellationToken, int> program)
    {
        using CancellationTokenSource stop = new();
        Console.CancelKeyPress += (_, key) =>
        {
            if (stop.IsCancellationRequested) return;
            key.Cancel = true;
            stop.Cancel();
        };
        if (Console.IsOutputRedirected) Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        return program(new Terminal(Console.In, Console.Out, Console.Error), stop.Token);
    }
}
