using System.Diagnostics;
using System.Globalization;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Tests;

/// <summary>A worker process of a sweep whose units do nothing but take their time, to be stopped and killed.</summary>
internal static class SweepChild
{
    /// <summary>Names the sweep's folder to the child.</summary>
    public const string FolderVariable = "GRADPATH_TEST_SWEEP";

    /// <summary>Tells the child how many steps of a hundredth of a second a unit has.</summary>
    public const string StepsVariable = "GRADPATH_TEST_SWEEP_STEPS";

    /// <summary>Tells any child of a test after how many seconds claims expire.</summary>
    public const string ExpiryVariable = "GRADPATH_TEST_CLAIM_EXPIRY";

    // A machine may be busy, and a second without a sign of life is no rarity then.
    private const string Expiry = "3";

    /// <summary>How the child is started.</summary>
    /// <param name="folder">The sweep's folder.</param>
    /// <param name="steps">How many steps a unit has.</param>
    public static WorkerStart Start(string folder, int steps) => new(["tasks"], new Dictionary<string, string>
    {
        ["DOTNET_STARTUP_HOOKS"] = typeof(SweepChild).Assembly.Location,
        [ExpiryVariable] = Expiry,
        [FolderVariable] = folder,
        [StepsVariable] = steps.ToString(CultureInfo.InvariantCulture),
    });

    /// <summary>A process that the caller may kill.</summary>
    /// <param name="folder">The sweep's folder.</param>
    /// <param name="steps">How many steps a unit has.</param>
    public static Process Process(string folder, int steps)
    {
        (string file, IReadOnlyList<string> first) = SweepProcesses.Self();
        WorkerStart start = Start(folder, steps);
        ProcessStartInfo info = new(file, [.. first, .. start.Arguments]) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach ((string name, string value) in start.Variables) info.Environment[name] = value;
        return System.Diagnostics.Process.Start(info)!;
    }

    /// <summary>In any child of a test: shortens the expiry of claims to the seconds that the variable says.</summary>
    public static void Shorten()
    {
        if (Environment.GetEnvironmentVariable(ExpiryVariable) is not { } text) return;
        TimeSpan expiry = TimeSpan.FromSeconds(double.Parse(text, CultureInfo.InvariantCulture));
        ClaimTiming.Default = new ClaimTiming(expiry / 12, expiry);
    }

    /// <summary>In the child: works at the sweep in the place of the program, and ends.</summary>
    public static void Arm()
    {
        if (Environment.GetEnvironmentVariable(FolderVariable) is not { } path) return;
        int steps = int.Parse(Environment.GetEnvironmentVariable(StepsVariable)!, CultureInfo.InvariantCulture);
        Environment.Exit(ConsoleProcess.Run("child", (terminal, cancellation) => Failures.Guard("child", () =>
        {
            (int, int)? place = SweepProcesses.Place(terminal.Variable);
            if (place is not null) SweepProcesses.StopWithParent(terminal);
            SweepFolder folder = SweepLayout.Open(path);
            SweepWorker worker = new(folder, new SweepSamples.Work((u, f, c) => Compute(u, f, steps, c)), terminal)
            {
                Place = place,
            };
            SweepOutcome outcome = worker.Run(folder.Units, cancellation);
            terminal.Out.WriteLine($"{outcome.Computed} computed");
            return outcome.Failures.Count == 0 && outcome.Waiting == 0 ? 0 : 1;
        }, terminal, cancellation)));
    }

    /// <summary>What a unit gives, whoever computes it in how many goes.</summary>
    /// <param name="unit">The unit.</param>
    /// <param name="file">Where its state is.</param>
    /// <param name="steps">How many steps it has.</param>
    /// <param name="cancellation">Stops it.</param>
    public static UnitOutcome Compute(SweepUnit unit, string file, int steps, CancellationToken cancellation)
    {
        string state = ProgressFile.Beside(file);
        int step = File.Exists(state) ? int.Parse(File.ReadAllText(state), CultureInfo.InvariantCulture) : 0;
        for (; step < steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            Thread.Sleep(10);
            AtomicFile.WithoutSync(() => AtomicFile.Write(state, $"{step + 1}"));
        }
        return new UnitOutcome(SweepSamples.Result(unit.Key));
    }
}
