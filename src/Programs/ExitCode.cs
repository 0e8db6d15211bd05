namespace Gradpath.Programs;

/// <summary>What the program's exit codes mean.</summary>
internal static class ExitCode
{
    public const int Success = 0;
    public const int Failure = 1;
    public const int Usage = 2;

    /// <summary>Stopped by Ctrl-C: 128 plus the signal's number, as shells expect.</summary>
    public const int Cancelled = 130;
}
