using System.Runtime.InteropServices;
using System.Text;
using Gradpath.Gpt2Runtime;

namespace Gradpath.Programs;

/// <summary>A program's process: standard streams in UTF-8, and the signals that stop it.</summary>
internal static class ConsoleProcess
{
    // A program that has not ended so long after it was asked to, and has nothing to save, is ended.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1.5);

    /// <summary>
    /// Runs a program on the process's streams. The first signal of <see cref="StopCause.All"/> asks it to stop, and ends it where it does
    /// not and has no work to save; a second one ends the process at once. Nothing half-written remains either way.
    /// </summary>
    /// <param name="name">The program's name, for messages.</param>
    /// <param name="program">The program.</param>
    /// <returns>The exit code.</returns>
    public static int Run(string name, Func<Terminal, CancellationToken, int> program)
    {
        if (Console.IsOutputRedirected) Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        Terminal terminal = new(new TextLineReader(Console.OpenStandardInput()), Console.Out, Console.Error);
        using CancellationTokenSource stop = new();
        using ManualResetEventSlim ended = new();
        int code = ExitCode.Failure;
        bool signalled = false;
        terminal.Stop = cause =>
        {
            terminal.StoppedBy ??= cause;
            stop.Cancel();
        };
        Thread thread = new(() =>
        {
            try
            {
                code = program(terminal, stop.Token);
            }
            finally
            {
                ended.Set();
            }
        })
        {
            IsBackground = true,
        };
        PosixSignalRegistration[] signals = [.. StopCause.All.Select(cause => PosixSignalRegistration.Create(cause.Signal, context =>
        {
            context.Cancel = true;
            if (signalled) End(cause);
            signalled = true;
            terminal.StoppedBy ??= cause;
            stop.Cancel();
        }))];
        try
        {
            thread.Start();
            WaitHandle.WaitAny([ended.WaitHandle, stop.Token.WaitHandle]);
            if (terminal.HasWorkToSave) ended.Wait();
            else if (!ended.Wait(s_patience) && terminal.StoppedBy is { } cause)
            {
                terminal.ErrorConsole.Cursor.Show(true);
                terminal.Error.WriteLine($"{name}: {Failures.Stopped(terminal)}");
                End(cause);
            }
            return code;
        }
        finally
        {
            foreach (PosixSignalRegistration signal in signals) signal.Dispose();
        }
    }

    private static void End(StopCause cause)
    {
        AtomicFile.Abandon();
        Environment.Exit(cause.ExitCode);
    }
}
