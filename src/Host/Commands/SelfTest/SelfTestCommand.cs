using System.Globalization;
using CommandLine;
using Gradpath.Diagnostics.SelfTest;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Spectre.Console;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath selftest</c>.</summary>
[Verb("selftest", HelpText = "Check on this machine that scores obey the identities that define them, and a device against the CPU.")]
internal sealed class SelfTestOptions : DeviceOptions
{
    [Option("against", MetaValue = "DEVICE", HelpText =
        "cpu: compare every op and every method with a second CPU device. Any other device than the CPU is always compared so.")]
    public string? Against { get; set; }

    [Option("cases", MetaValue = "N", HelpText = "Random shapes per op of the comparison (default 18); a third of them are large.")]
    public int? Cases { get; set; }
}

/// <summary><c>gradpath selftest</c>: runs every check and states its largest error.</summary>
internal static class SelfTestCommand
{
    private const int DefaultCases = 18;

    public static int Run(SelfTestOptions o, Terminal terminal, CancellationToken cancellation)
    {
        if (o.Against is not (null or "cpu"))
            throw new UsageException($"--against {o.Against}: the comparison is always with the CPU; write --against cpu.");
        OptionChecks.Positive("cases", o.Cases);
        using Device device = ComputeDevice.Open(o, terminal);
        bool compares = o.Against is not null || device is not CpuDevice;
        if (o.Cases is not null && !compares) throw new UsageException("--cases is for the comparison of devices; add --against cpu.");

        List<ComparisonLine> lines = [.. Identities(device, cancellation)];
        Print(terminal, "check", lines, showCases: false);
        if (compares)
        {
            using CpuDevice reference = new();
            IReadOnlyList<ComparisonLine> ops = ScoringProgress.Run(
                terminal, "ops", progress => DeviceComparison.Ops(reference, device, o.Cases ?? DefaultCases, progress, cancellation));
            Print(terminal, "op", ops, showCases: true);
            IReadOnlyList<ComparisonLine> methods = ScoringProgress.Run(
                terminal, "methods", progress => DeviceComparison.Methods(reference, device, progress, cancellation));
            Print(terminal, "method", methods, showCases: true);
            lines.AddRange(ops);
            lines.AddRange(methods);
            terminal.Out.WriteLine($"compared with: {reference.Description}");
        }
        terminal.Out.WriteLine($"device: {device.Description}");
        ComparisonLine[] failures = [.. lines.Where(l => l.Fault is not null)];
        foreach (ComparisonLine failure in failures) terminal.Out.WriteLine($"FAILED: {failure.Name}: {failure.Fault}");
        terminal.Out.WriteLine(
            failures.Length == 0 ? $"all {lines.Count} checks passed" : $"{failures.Length} of {lines.Count} checks FAILED");
        return failures.Length == 0 ? ExitCode.Success : ExitCode.Failure;
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

    private static void Print(Terminal terminal, string what, IEnumerable<ComparisonLine> lines, bool showCases)
    {
        Table table = new Table { Border = TableBorder.Simple }.AddColumn(what);
        if (showCases) table.AddColumn(new TableColumn("cases").RightAligned());
        table.AddColumn(new TableColumn("largest error").RightAligned()).AddColumn(new TableColumn("allowed").RightAligned()).AddColumn("");
        foreach (ComparisonLine line in lines)
        {
            List<Text> row = [new(line.Name), new(Scientific(line.Error)), new(Scientific(line.Allowed)),
                new(line.Fault is null ? "ok" : "FAILED")];
            if (showCases) row.Insert(1, new Text(Sizes.Count(line.Cases)));
            table.AddRow(row);
        }
        terminal.Console.Write(table);
    }

    private static string Scientific(double value) => value == 0 ? "0" : value.ToString("0.0e+00", CultureInfo.InvariantCulture);
}
