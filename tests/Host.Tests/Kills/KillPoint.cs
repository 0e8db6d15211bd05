using System.Globalization;
using System.Runtime.InteropServices;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Host.Tests;

/// <summary>Where in its writing a child process is killed: at the so many-th step of a file's way to the disk.</summary>
/// <param name="Step">The step's number, from 1, over all files that the child writes.</param>
/// <param name="Signal">The signal's number.</param>
internal sealed partial record KillPoint(int Step, int Signal)
{
    /// <summary>Carries the point to the child.</summary>
    public const string Variable = "GRADPATH_TEST_KILL_POINT";

    /// <summary>Names a file that the child writes the number of its steps to when it ends by itself.</summary>
    public const string CountVariable = "GRADPATH_TEST_STEP_COUNT";

    /// <summary>What <see cref="Variable"/> holds.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Step} {Signal}");

    /// <summary>In the child: sees to it that it is killed where the variable says.</summary>
    public static void Arm()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { } text) return;
        int[] parts = [.. text.Split(' ').Select(p => int.Parse(p, CultureInfo.InvariantCulture))];
        ProgressFile.DefaultInterval = TimeSpan.Zero;
        int seen = 0;
        if (Environment.GetEnvironmentVariable(CountVariable) is { } count)
            AppDomain.CurrentDomain.ProcessExit += (_, _) => File.WriteAllText(count, seen.ToString(CultureInfo.InvariantCulture));
        AtomicFile.Step = _ =>
        {
            if (Interlocked.Increment(ref seen) == parts[0]) Send(Environment.ProcessId, parts[1]);
        };
    }

    /// <summary>Sends a signal.</summary>
    /// <param name="process">The process.</param>
    /// <param name="signal">The signal's number.</param>
    public static void Send(int process, int signal) => _ = Signalled(process, signal);

    // It fails where the process has just ended by itself.
    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signalled(int process, int signal);
}
