using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Filters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;
using CommandLine;
using Gradpath.Perf.Ops.Families;
using Gradpath.Programs;
using Gradpath.Programs.Reporting;

namespace Gradpath.Perf.Ops;

/// <summary><c>perf ops</c>: in this process, so that nothing is built or restored while it runs.</summary>
internal static class OpsCommand
{
    // An object takes this many bytes at least. Fewer a call are no call's: the runtime allocates now and then on threads of its own.
    private const long SmallestObject = 24;

    public static Type[] Families { get; } =
    [
        typeof(GemmOps), typeof(AttentionOps), typeof(EdgeOps), typeof(LayerNormOps), typeof(ActivationOps), typeof(LogitOps),
        typeof(PathOps), typeof(RowOps),
        typeof(MaskOps), typeof(MixOps),
    ];

    public static CommandReport Run(OpsOptions o, Terminal terminal)
    {
        ComputeDevice.Check(o);
        OpBenchmark.Open = () => ComputeDevice.Open(o, terminal);
        Job job = (o.Quick ? Job.ShortRun : Job.MediumRun).WithToolchain(InProcessNoEmitToolchain.Instance);
        ManualConfig config = ManualConfig.CreateEmpty()
            .AddJob(job)
            .AddLogger(new TextLogger(terminal.Json ? terminal.Quiet ? TextWriter.Null : terminal.Error : terminal.Out))
            .AddColumnProvider(DefaultColumnProviders.Instance)
            .AddExporter(MarkdownExporter.GitHub)
            .WithArtifactsPath(Path.Combine(Path.GetTempPath(), "gradpath-ops"))
            .WithSummaryStyle(SummaryStyle.Default.WithMaxParameterColumnWidth(100))
            .WithOptions(ConfigOptions.DisableOptimizationsValidator | ConfigOptions.JoinSummary);
        if (o.Filter is { } text)
        {
            config.AddFilter(new SimpleFilter(c =>
                $"{c.Descriptor.Type.Name} {c.Parameters["Case"]}".Contains(text, StringComparison.OrdinalIgnoreCase)));
        }
        Summary[] summaries = BenchmarkRunner.Run(Families, config);
        BenchmarkReport[] reports = [.. summaries.SelectMany(s => s.Reports)];
        if (reports.Length == 0)
        {
            throw new UsageException(
                $"--filter {o.Filter}: no family or op has that in its name; there are {string.Join(", ", Families.Select(f => f.Name))}.");
        }
        string[] wrong =
        [
            .. reports.Where(r => !r.Success).Select(r => $"{Title(r)} did not run"),
            .. reports.Where(r => r.Success && Allocated(r) >= SmallestObject)
                .Select(r => $"{Title(r)} allocates {Allocated(r)} bytes a call"),
        ];
        CommandReport report = new() { ExitCode = wrong.Length == 0 ? ExitCode.Success : ExitCode.Failure };
        string load = Machine.Describe(Machine.Load(), Environment.ProcessorCount);
        report.Line(load, ("load", load));
        report.Line($"{reports.Length} cases, {reports.Length - wrong.Length} of them run and allocate 0 bytes a call",
            ("cases", reports.Length), ("failed", wrong));
        report.Data(ReportTable.Of("cases", reports)
            .Hidden("op", Title).Hidden("ran", r => r.Success)
            .Hidden("seconds", r => r.ResultStatistics is { } times ? times.Mean * 1e-9 : null)
            .Hidden("allocated_bytes", r => Allocated(r)));
        foreach (string line in wrong) terminal.Error.WriteLine($"perf: {line}");
        return report;
    }

    private static string Title(BenchmarkReport report) =>
        $"{report.BenchmarkCase.Descriptor.Type.Name}, {report.BenchmarkCase.Parameters["Case"]}";

    private static long Allocated(BenchmarkReport report) => report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? 0;
}
