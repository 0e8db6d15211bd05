using System.Globalization;
using Gradpath.Diagnostics.SelfTest;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Host.Commands;

/// <summary>The tables of <c>gradpath selftest</c>.</summary>
internal static class SelfTestTables
{
    /// <summary>Adds the tables of a stage to the report.</summary>
    /// <param name="report">The report.</param>
    /// <param name="stage">What the stage found.</param>
    /// <param name="modules">What the driver made of the kernels.</param>
    public static void Add(CommandReport report, StageResult stage, IReadOnlyList<CudaModuleInfo> modules)
    {
        if (stage.Lines.Count == 0) return;
        if (stage.Name == SelfTestStages.Modules.Name)
        {
            report.Table(Modules(stage, modules));
            report.Table(Kernels(modules));
        }
        else if (stage.Name == SelfTestStages.Ops.Name) report.Table(Lines("op", "ops", "cases", stage));
        else if (stage.Name == SelfTestStages.Plans.Name) report.Table(Lines("kernel", "plans", "variants", stage));
        else if (stage.Name == SelfTestStages.Graphs.Name) report.Table(Lines("method", "graphs", "replayed passes", stage));
        else if (stage.Name == SelfTestStages.Methods.Name) report.Table(Lines("method", "methods", "cases", stage));
        else if (stage.Name == SelfTestStages.Full.Name) report.Table(Full(stage));
        else report.Table(Lines("check", "checks", null, stage));
    }

    /// <summary>The stages, which people see line by line.</summary>
    /// <param name="stages">What they found.</param>
    public static ReportTable Stages(IEnumerable<StageResult> stages) => ReportTable.Of("stages", stages)
        .Text("stage", "name", s => s.Name)
        .Number("seconds", "seconds", s => s.Seconds)
        .Count("checks", "checks", s => s.Lines.Count)
        .Count("failed", "failed", s => s.Failures.Count());

    private static ReportTableOf<ComparisonLine> Lines(string what, string name, string? cases, StageResult stage)
    {
        ReportTableOf<ComparisonLine> table = ReportTable.Of(name, stage.Lines).Text(what, "name", l => l.Name);
        if (cases is not null) table.Count(cases, "cases", l => l.Cases);
        return Ending(table
            .Column("largest error", "error", l => l.Error, l => Scientific(l.Error))
            .Column("allowed", "allowed", l => l.Allowed, l => Scientific(l.Allowed)));
    }

    private static ReportTableOf<ComparisonLine> Full(StageResult stage) => Ending(ReportTable.Of("gpt2", stage.Lines)
        .Text("method", "name", l => l.Name)
        .Count("edges", "cases", l => l.Cases)
        .Column("largest error", "error", l => l.Error, l => Scientific(l.Error))
        .Column("allowed", "allowed", l => l.Allowed, l => Scientific(l.Allowed))
        .Column(
            "correlation", "correlation", l => l.Agreement?.Correlation,
            l => l.Agreement?.Correlation.ToString("0.00000000", CultureInfo.InvariantCulture) ?? "-")
        .Column(
            "strongest shared", "shared", l => l.Agreement?.Shared, l => l.Agreement is { } a ? $"{a.Shared} of {a.Top}" : "-")
        .Hidden("strongest", l => l.Agreement?.Top));

    private static ReportTableOf<ComparisonLine> Modules(StageResult stage, IReadOnlyList<CudaModuleInfo> modules)
    {
        CudaModuleInfo? Of(ComparisonLine line) => modules.FirstOrDefault(m => m.File == line.Name);
        return Ending(ReportTable.Of("modules", stage.Lines)
            .Text("module", "name", l => l.Name)
            .Count("kernels", "kernels", l => l.Cases)
            .Column(
                "compiled and loaded, ms", "milliseconds", l => 1000 * Of(l)?.Seconds, l => Milliseconds(Of(l)?.Seconds))
            .Column(
                "compiler, ms", "compiler_milliseconds", l => 1000 * Of(l)?.CompileSeconds, l => Milliseconds(Of(l)?.CompileSeconds))
            .Column("from", "from_cache", l => Of(l)?.IsKept, l => Of(l) is { } m ? m.IsKept ? "cache" : "compiler" : "-")
            .Hidden("log", l => Of(l)?.Log));

        static string Milliseconds(double? seconds) => (1000 * seconds)?.ToString("0.0", CultureInfo.InvariantCulture) ?? "-";
    }

    private static ReportTableOf<CudaKernelInfo> Kernels(IEnumerable<CudaModuleInfo> modules) =>
        ReportTable.Of("kernels", modules.SelectMany(m => m.Kernels))
            .Text("kernel", "name", k => k.Name)
            .Count("threads", "threads", k => k.Threads)
            .Count("registers", "registers", k => k.Registers)
            .Count("local bytes", "local_bytes", k => k.LocalBytes)
            .Count("static shared", "static_shared_bytes", k => k.StaticSharedBytes)
            .Count("dynamic shared", "dynamic_shared_bytes", k => k.DynamicSharedBytes)
            .Count("blocks at once", "resident_blocks", k => k.ResidentBlocks);

    private static ReportTableOf<ComparisonLine> Ending(ReportTableOf<ComparisonLine> table) => table
        .Hidden("fault", l => l.Fault)
        .Shows("", l => l.Fault is null ? "ok" : "FAILED", right: false);

    private static string Scientific(double value) =>
        double.IsNaN(value) ? "-" : value == 0 ? "0" : value.ToString("0.0e+00", CultureInfo.InvariantCulture);
}
