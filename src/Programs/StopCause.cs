using System.Runtime.InteropServices;

namespace Gradpath.Programs;

/// <summary>What asked a program to stop: a signal that people or batch systems send.</summary>
/// <param name="Signal">The signal.</param>
/// <param name="By">How messages go on after "stopped"; nothing for Ctrl-C, which whoever reads them has just pressed.</param>
/// <param name="ExitCode">128 plus the signal's number, as shells expect.</param>
internal sealed record StopCause(PosixSignal Signal, string By, int ExitCode)
{
    /// <summary>Ctrl-C.</summary>
    public static StopCause Interrupt { get; } = new(PosixSignal.SIGINT, "", Programs.ExitCode.Cancelled);

    /// <summary>All signals that stop a program. Those that it was started to ignore, as by nohup, are still ignored.</summary>
    public static IReadOnlyList<StopCause> All { get; } =
    [
        Interrupt,
        new(PosixSignal.SIGTERM, " by SIGTERM", 143),
        new(PosixSignal.SIGHUP, " by SIGHUP", 129),
    ];
}
