using System.Diagnostics;

namespace Gradpath.Host.Tests;

/// <summary>The program in a process of its own, to be stopped by signals.</summary>
/// <param name="ExitCode">Its exit code: 128 plus the signal's number where a signal ended it.</param>
/// <param name="Out">Standard output.</param>
/// <param name="Error">Standard error.</param>
/// <param name="AfterSignal">Time from the signal to the end; of no meaning where none was sent.</param>
internal sealed record Child(int ExitCode, string Out, string Error, TimeSpan AfterSignal)
{
    /// <summary>SIGHUP.</summary>
    public const int Hangup = 1;

    /// <summary>SIGINT.</summary>
    public const int Interrupt = 2;

    /// <summary>SIGKILL.</summary>
    public const int Kill = 9;

    /// <summary>SIGTERM.</summary>
    public const int Terminate = 15;

    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(3);

    /// <summary>How a child is started and stopped.</summary>
    public sealed record Plan
    {
        /// <summary>The command line.</summary>
        public required string[] Arguments { get; init; }

        /// <summary>The folder that it runs in.</summary>
        public required string Folder { get; init; }

        /// <summary>Where it kills itself; null for nowhere.</summary>
        public KillPoint? At { get; init; }

        /// <summary>Where it leaves the number of steps that it took; null for nowhere.</summary>
        public string? CountFile { get; init; }

        /// <summary>The signal that is sent to it, and when; null for none.</summary>
        public (int Signal, TimeSpan After)? Sent { get; init; }

        /// <summary>What runs the program: a shell's words that end where its command line begins. Null for the program itself.</summary>
        public string? Shell { get; init; }
    }

    /// <summary>Runs a child to its end.</summary>
    /// <param name="plan">How.</param>
    public static Child Run(Plan plan)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "gradpath.dll");
        string[] line = [Environment.ProcessPath!, program, .. plan.Arguments];
        ProcessStartInfo start = plan.Shell is null
            ? new ProcessStartInfo(line[0], line[1..])
            : new ProcessStartInfo("sh", ["-c", plan.Shell, "sh", .. line]);
        start.WorkingDirectory = plan.Folder;
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        if (plan.At is not null)
        {
            start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(Child).Assembly.Location;
            start.Environment[KillPoint.Variable] = plan.At.ToString();
            if (plan.CountFile is not null) start.Environment[KillPoint.CountVariable] = plan.CountFile;
        }
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(), output = process.StandardOutput.ReadToEndAsync();
        long sent = Stopwatch.GetTimestamp();
        if (plan.Sent is var (signal, after) && !process.WaitForExit(after))
        {
            sent = Stopwatch.GetTimestamp();
            KillPoint.Send(process.Id, signal);
        }
        if (!process.WaitForExit(s_longest))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"gradpath {string.Join(' ', plan.Arguments)} hangs");
        }
        return new Child(process.ExitCode, output.Result, errors.Result, Stopwatch.GetElapsedTime(sent));
    }
}
