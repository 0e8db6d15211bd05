using Gradpath.Diagnostics.Bench;
using Gradpath.Diagnostics.SelfTest;
using Gradpath.Gpt2Runtime;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath selftest</c>: does every check, stage by stage, and states its largest error.</summary>
internal static class SelfTestCommand
{
    private const int DefaultCases = 18;

    public static CommandReport Run(SelfTestOptions o, Terminal terminal, CancellationToken cancellation)
    {
        if (o.Against is not (null or "cpu"))
            throw new UsageException($"--against {o.Against}: the comparison is always with the CPU; write --against cpu.");
        if (o.Shape is { } unknown && !Workloads.ShapeNames.Contains(unknown))
            throw new UsageException($"--shape {unknown}: {TableNames.Unknown("shape", unknown, [.. Workloads.ShapeNames])}.");
        if (o.WriteScores is not null) return SelfTestScores.Write(o, terminal, cancellation);
        string[] names = [.. o.Stages.Select(Named)], only = [.. o.Only];
        CpuScores? given = o.Scores is null ? null : SelfTestScores.Read(o, o.Scores);
        using TestedDevice tested = new(() => ComputeDevice.Open(o, terminal));
        Device device = tested.Device;
        bool isGpu = device is not CpuDevice, compares = o.Against is not null || isGpu;
        if (o.Cases is not null && !compares) throw new UsageException("--cases is for the comparison of devices; add --against cpu.");
        SelfTestStage full = SelfTestStages.Full;
        bool asked = names.Contains(full.Name) || o.Scores is not null || o.Shape is not null;
        SelfTestStage[] stages = [.. SelfTestStages.All.Where(s => s.Needs switch
        {
            StageNeeds.Gpu => isGpu,
            StageNeeds.Reference => compares,
            StageNeeds.Scores => asked ? compares || given is not null : isGpu && !device.IsEmulated,
            _ => true,
        })];
        foreach (string missing in names.Except(stages.Select(s => s.Name)))
        {
            bool needsGpu = SelfTestStages.All.Single(s => s.Name == missing).Needs == StageNeeds.Gpu;
            string advice = needsGpu ? "; it needs a GPU" : compares ? "" : "; add --against cpu";
            throw new UsageException($"--stages {missing}: {device.Name} has no such stage{advice}.");
        }
        foreach ((string option, string? value) in new[] { ("scores", o.Scores), ("shape", o.Shape) })
        {
            if (value is null || (names.Length == 0 ? stages.Contains(full) : names.Contains(full.Name))) continue;
            throw new UsageException(names.Length == 0
                ? $"--{option} {value}: {device.Name} has no stage {full.Name}; add --against cpu."
                : $"--{option} {value} is for the stage {full.Name}; add it to --stages.");
        }
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
            Shape = given?.Shape ?? o.Shape ?? SelfTestScores.DefaultShape,
            GivenScores = given,
            Wanted = name => only.Length == 0 || only.Any(word => Begins(name, word)),
        };
        CommandReport report = new();
        report.Line($"device: {device.Description}", ("device", device.Description));
        if (reference is not null) report.Line($"compared with: {reference.Description}", ("compared_with", reference.Description));
        if (given is not null)
        {
            report.Line(
                $"scores of the CPU: {o.Scores}, {given.Device}, {given.Created}", ("scores", o.Scores), ("scores_device", given.Device),
                ("scores_created", given.Created));
        }
        bool left = device.IsEmulated && !asked && names.Length == 0 && only.Length == 0;
        if (left)
        {
            report.Line(
                $"left out: {full.Name}, which takes hours on an emulator; --stages {full.Name} does it", ("left_out", full.Name));
        }
        report.WriteSoFar(terminal);
        return Report(stages, run, report, terminal);
    }

    private static CommandReport Report(SelfTestStage[] stages, SelfTestRun run, CommandReport report, Terminal terminal)
    {
        List<StageResult> results = [];
        foreach (SelfTestStage stage in stages)
        {
            if (stage == SelfTestStages.Full && stage.Checks.Any(run.Wanted)) SelfTestScores.Compute(run, report, terminal);
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
