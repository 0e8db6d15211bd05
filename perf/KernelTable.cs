using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CommandLine;
using Gradpath.Diagnostics.Ops;
using Gradpath.Gpt2Runtime;
using Gradpath.Programs;
using Gradpath.Programs.Files;
using Gradpath.Programs.Reporting;
using Gradpath.PtxEmulator.Survey;

namespace Gradpath.Perf;

/// <summary>The options of <c>perf kernels</c>.</summary>
[Verb("kernels", HelpText = "Every CUDA kernel at a small shape, counted by the emulator that runs its PTX.")]
internal sealed class KernelTableOptions : CommandOptions
{
    [Option("only", Separator = ',', MetaValue = "NAME,...", HelpText = "Only these kernels.")]
    public IEnumerable<string> Only { get; set; } = [];

    [Output]
    [Option("out", MetaValue = "FILE", HelpText = "Write the cases as a JSON list.")]
    public string? Out { get; set; }

    [Option("update", HelpText = "Write the table of perf/KERNELS.md.")]
    public bool Update { get; set; }
}

/// <summary>
/// Every CUDA kernel at a small representative shape, counted by the emulator that runs its PTX: a table, a JSON file, or the page that
/// keeps the table.
/// </summary>
internal static class KernelTable
{
    private const string Begin = "<!-- perf kernels: begin -->", End = "<!-- perf kernels: end -->";

    private const string Page = "perf/KERNELS.md";

    /// <summary>Runs the table.</summary>
    /// <param name="o">The options.</param>
    /// <param name="cancellation">Stops it.</param>
    public static CommandReport Run(KernelTableOptions o, CancellationToken cancellation)
    {
        string[] only = [.. o.Only];
        if (o.Update && only.Length > 0) throw new UsageException("--update writes the whole table: leave --only out.");
        if (o.Update && !File.Exists(Page))
            throw new UsageException($"--update: {Page} is not here; run it from the repository's root.");
        if (only.FirstOrDefault(name => !KernelSurvey.Resources.ContainsKey(name)) is { } unknown)
        {
            throw new UsageException(
                $"--only {unknown}: there is no such kernel; there are {string.Join(", ", KernelSurvey.Resources.Keys)}.");
        }
        var watch = Stopwatch.StartNew();
        List<KernelLine> lines = [];
        foreach (KernelCase c in KernelSurvey.Cases.Where(c => only.Length == 0 || only.Contains(c.Kernel)))
        {
            cancellation.ThrowIfCancellationRequested();
            lines.Add(KernelSurvey.Run(c));
        }
        CommandReport report = new();
        ReportTable table = Table(lines);
        if (!o.Update) report.Plain($"{KernelSurvey.Heading}\n{string.Join('\n', lines)}");
        report.Data(table);
        if (o.Out is not null) Write(o.Out, table.ToJson());
        if (o.Update) Update(lines);
        int kernels = lines.Select(l => l.Case.Kernel).Distinct().Count();
        report.Line($"{lines.Count} cases of {kernels} kernels in {watch.Elapsed.TotalSeconds:F0} s",
            ("cases", lines.Count), ("kernels", kernels), ("seconds", watch.Elapsed.TotalSeconds));
        report.File("cases", o.Out);
        report.File("table", o.Update ? Page : null);
        return report;
    }

    private static void Update(IReadOnlyList<KernelLine> lines)
    {
        string page = File.ReadAllText(Page);
        int from = page.IndexOf(Begin, StringComparison.Ordinal), to = page.IndexOf(End, StringComparison.Ordinal);
        if (from < 0 || to < from) throw new GradpathException($"{Page} lacks the lines {Begin} and {End}, between which the table stands");
        string text = $"{page[..(from + Begin.Length)]}\n{KernelSurvey.Heading}\n{string.Join('\n', lines)}\n{page[to..]}";
        AtomicFile.Write(Page, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
    }

    private static ReportTableOf<KernelLine> Table(IEnumerable<KernelLine> lines) => ReportTable.Of("cases", lines)
        .Hidden("file", l => l.Resources.File)
        .Hidden("kernel", l => l.Case.Kernel)
        .Hidden("shape", l => l.Case.Shape)
        .Hidden("threads", l => l.Counts.Threads)
        .Hidden("live_registers", l => l.Resources.Registers)
        .Hidden("allowed_registers", l => l.AllowedRegisters)
        .Hidden("static_shared_bytes", l => l.Resources.StaticSharedBytes)
        .Hidden("dynamic_shared_bytes", l => l.Counts.DynamicSharedBytes)
        .Hidden("instructions", l => l.Counts.Instructions)
        .Hidden("bytes_read", l => l.Counts.GlobalBytesRead)
        .Hidden("bytes_written", l => l.Counts.GlobalBytesWritten)
        .Hidden("sector_bytes", l => l.SectorBytes)
        .Hidden("least_bytes", l => l.Case.LeastBytes)
        .Hidden("shared_requests", l => l.Counts.SharedRequests)
        .Hidden("shared_conflicts", l => l.Counts.SharedConflicts);

    private static void Write(string path, JsonArray list) => AtomicFile.Write(path, stream =>
    {
        using (Utf8JsonWriter json = new(stream, new JsonWriterOptions { Indented = true })) list.WriteTo(json);
        stream.WriteByte((byte)'\n');
    });
}
