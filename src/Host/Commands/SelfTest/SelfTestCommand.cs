using System.Globalization;
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
}

/// <summary><c>gradpath selftest</c>: runs every check and states its largest error.</summary>
internal static class SelfTestCommand
{
    private const int DefaultCases = 18;

    public static CommandReport Run(SelfTestOptions o, Terminal terminal, CancellationToken cancellation)
    {
        if (o.Against is not (null or "cpu"))
            throw new UsageException($"--against {o.Against}: the comparison is always with the CPU; write --against cpu.");
        using Device device = ComputeDevice.Open(o, terminal);
        bool compares = o.Against is not null || device is not CpuDevice;
        if (o.Cases is not null && !compares) throw new UsageException("--cases is for the comparison of devices; add --against cpu.");

        CommandReport report = new();
        List<ComparisonLine> lines = [.. Identities(device, cancellation)];
        report.Table(Table("check", "checks", lines, showCases: false));
        if (compares)
        {
            using CpuDevice reference = new();
            IReadOnlyList<ComparisonLine> ops = ScoringProgress.Run(
                terminal, "ops", progress => DeviceComparison.Ops(reference, device, o.Cases ?? DefaultCases, progress, cancellation));
            report.Table(Table("op", "ops", ops, showCases: true));
            IReadOnlyList<ComparisonLine> methods = ScoringProgress.Run(
                terminal, "methods", progress => DeviceComparison.Methods(reference, device, progress, cancellation));
            report.Table(Table("method", "methods", methods, showCases: true));
            lines.AddRange(ops);
            lines.AddRange(methods);
            report.Line($"compared with: {reference.Description}", ("compared_with", reference.Description));
        }
        report.Line($"device: {device.Description}", ("device", device.Description));
        ComparisonLine[] failures = [.. lines.Where(l => l.Fault is not null)];
        foreach (ComparisonLine failure in failures) report.Plain($"FAILED: {failure.Name}: {failure.Fault}");
        report.Line(
            failures.Length == 0 ? $"all {lines.Count} checks passed" : $"{failures.Length} of {lines.Count} checks FAILED",
            ("checks", lines.Count), ("failed", failures.Length));
        report.ExitCode = failures.Length == 0 ? ExitCode.Success : ExitCode.Failure;
        return report;
    }

    private static IEnumerable<ComparisonLine> Identities(Device device, CancellationToken cancellation)
    {
        using SelfTestModel model = new(device, cancellation);
        foreach (IdentityCheck check in IdentityChecks.All)
        {
            cancellation.ThrowIfCancellationRequested();
            double error = check.Measure(model), allowed = check.AllowedAt(device.Precision);
            string? fault = error <= allowed ? null : $"an error of {Scientific(error)}, allowed {Scientific(allowed)}";
            yield return new ComparisonLine(check.Name, 1, error, allowed, fault);
        }
    }

    private static ReportTableOf<ComparisonLine> Table(string what, string name, IEnumerable<ComparisonLine> lines, bool showCases)
    {
        ReportTableOf<ComparisonLine> table = ReportTable.Of(name, lines).Text(what, "name", l => l.Name);
        if (showCases) table.Count("cases", "cases", l => l.Cases);
        return table
            .Column("largest error", "error", l => l.Error, l => Scientific(l.Error))
            .Column("allowed", "allowed", l => l.Allowed, l => Scientific(l.Allowed))
            .Hidden("fault", l => l.Fault)
            .Shows("", l => l.Fault is null ? "ok" : "FAILED", right: false);
    }

    private static string Scientific(double value) => value == 0 ? "0" : value.ToString("0.0e+00", CultureInfo.InvariantCulture);
}
