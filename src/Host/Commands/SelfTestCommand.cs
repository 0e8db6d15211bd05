using System.Globalization;
using CommandLine;
using Gradpath.Kernels;
using Spectre.Console;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath selftest</c>.</summary>
[Verb("selftest", HelpText = "Check on this machine that scores obey the identities that define them.")]
internal sealed class SelfTestOptions : CommandOptions
{
    [Option("device", MetaValue = "DEVICE", Default = "auto", HelpText = "auto or cpu.")]
    public string Device { get; set; } = "auto";

    [Option("threads", MetaValue = "N", HelpText = "Threads of the CPU device (default: one per core).")]
    public int? Threads { get; set; }
}

/// <summary><c>gradpath selftest</c>: runs every check and states its largest error.</summary>
internal static class SelfTestCommand
{
    public static int Run(SelfTestOptions o, Terminal terminal, CancellationToken cancellation)
    {
        using Device device = ComputeDevice.Open(o.Device, o.Threads);
        Table table = new Table { Border = TableBorder.Simple }
            .AddColumn("check")
            .AddColumn(new TableColumn("largest error").RightAligned())
            .AddColumn(new TableColumn("allowed").RightAligned())
            .AddColumn("");
        int failures = 0, checks = 0;
        using SelfTestBench bench = new(device, cancellation);
        foreach (SelfTestCheck check in SelfTestChecks.All)
        {
            cancellation.ThrowIfCancellationRequested();
            double error = check.Measure(bench);
            bool passed = error <= check.Allowed;
            checks++;
            if (!passed) failures++;
            table.AddRow(new Text(check.Name), new Text(Scientific(error)), new Text(Scientific(check.Allowed)), new Text(passed ? "ok" : "FAILED"));
        }
        terminal.Console.Write(table);
        terminal.Out.WriteLine($"device: {device.Description}");
        terminal.Out.WriteLine(failures == 0 ? $"all {checks} checks passed" : $"{failures} of {checks} checks FAILED");
        return failures == 0 ? ExitCode.Success : ExitCode.Failure;
    }

    private static string Scientific(double value) => value == 0 ? "0" : value.ToString("0.0e+00", CultureInfo.InvariantCulture);
}
