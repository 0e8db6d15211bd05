using CommandLine;
using Gradpath.Diagnostics.SelfTest;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath selftest</c>.</summary>
[Verb("selftest", HelpText = "Check on this machine that scores obey the identities that define them, and a device against the CPU.")]
internal sealed class SelfTestOptions : DeviceOptions
{
    [Option("against", MetaValue = "DEVICE", HelpText =
        "cpu: compare every op and every method with a second CPU device. Any other device than the CPU is always compared so.")]
    public string? Against { get; set => field = value?.ToLowerInvariant(); }

    [Option("cases", MetaValue = "N", HelpText = "Random shapes per op of the comparison (default 18); a third of them are large.")]
    [Range(1, 10_000)]
    public int? Cases { get; set; }

    [Option("stages", MetaValue = "NAMES", Separator = ',', HelpText =
        "Only these stages: modules, ops, plans, graphs, identities, methods (default: all that the device has).")]
    public IEnumerable<string> Stages { get; set; } = [];

    [Option("only", MetaValue = "NAMES", Separator = ',', HelpText =
        "Only the checks whose names begin so: Attention,gemmTf32x3,eap-ig (default: all).")]
    public IEnumerable<string> Only { get; set; } = [];
}

/// <summary><c>gradpath selftest</c>: does every check, stage by stage, and states its largest error.</summary>
internal static class SelfTestCommand
{
    private const int DefaultCases = 18;

    public static CommandReport Run(SelfTestOptions o, Terminal terminal, CancellationToken cancellation)
    {
        if (o.Against is not (null or "cpu"))
            throw new UsageException($"--against {o.Against}: the comparison is always with the CPU; write --against cpu.");
        string[] names = [.. o.Stages.Select(Named)], only = [.. o.Only];
        using TestedDevice tested = new(() => ComputeDevice.Open(o, terminal));
        Device device = tested.Device;
        bool isGpu = device is not CpuDevice, compares = o.Against is not null || isGpu;
        if (o.Cases is not null && !compares) throw new UsageException("--cases is for the comparison of devices; add --against cpu.");
        SelfTestStage[] stages = [.. SelfTestStages.All.Where(s => s.Needs switch
        {
            StageNeeds.Gpu => isGpu,
            StageNeeds.Reference => compares,
            _ => true,
        })];
        foreach (string missing in names.Except(stages.Select(s => s.Name)))
            throw new UsageException($"--stages {missing}: {device.Name} has no such stage{(compares ? "" : "; add --against cpu")}.");
        if (names.Length > 0) stages = [.. stages.Where(s => names.Contains(s.Name))];
        foreach (string word in only)
        {
            if (word.Length == 0 || !stages.Any(s => s.Checks.Any(c => Begins(c, word))))
                throw new UsageException($"--only {word}: no check of {EnumNames.Choice(stages.Select(s => s.Name))} begins so.");
        }

        // A device that is opened again is the same one.
        if (isGpu) o.Device = device.Name;
        using CpuDevice? reference = compares ? new CpuDevice() : null;
        using SelfTestRun run = new(tested, reference, cancellation)
        {
            Cases = o.Cases ?? DefaultCases,
            Wanted = name => only.Length == 0 || only.Any(word => Begins(name, word)),
        };
        CommandReport report = new();
        report.Line($"device: {device.Description}", ("device", device.Description));
        if (reference is not null) report.Line($"compared with: {reference.Description}", ("compared_with", reference.Description));
        report.WriteSoFar(terminal);
        return Report(stages, run, report, terminal);
    }

    private static CommandReport Report(SelfTestStage[] stages, SelfTestRun run, CommandReport report, Terminal terminal)
    {
        List<StageResult> results = [];
        foreach (SelfTestStage stage in stages)
        {
            long start = terminal.Time.GetTimestamp();
            IReadOnlyList<ComparisonLine> lines = ScoringProgress.Run(terminal, stage.Name, progress =>
            {
                run.Progress = progress;
                return stage.Run(run);
            });
            StageResult result = new(stage.Name, terminal.Time.GetElapsedTime(start).TotalSeconds, lines);
            results.Add(result);
            SelfTestTables.Add(report, result, run.Modules);
            foreach (ComparisonLine failure in result.Failures) report.Plain($"FAILED: {failure.Name}: {failure.Fault}");
            report.Plain(result.Summary);
            report.WriteSoFar(terminal);
            if (terminal.Json) terminal.Detail(result.Summary);
        }
        report.Data(SelfTestTables.Stages(results));
        int checks = results.Sum(r => r.Lines.Count), failed = results.Sum(r => r.Failures.Count());
        report.Line(
            failed == 0 ? $"all {checks} checks passed" : $"{failed} of {checks} checks FAILED", ("checks", checks), ("failed", failed));
        report.ExitCode = failed == 0 ? ExitCode.Success : ExitCode.Failure;
        return report;
    }

    private static string Named(string stage) => EnumNames.Pick("stages", stage, [.. SelfTestStages.All.Select(s => s.Name)]);

    private static bool Begins(string name, string word) => name.StartsWith(word, StringComparison.OrdinalIgnoreCase);
}
