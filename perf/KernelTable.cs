using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gradpath.Diagnostics.Ops;
using Gradpath.Gpt2Runtime;
using Gradpath.PtxEmulator.Survey;

namespace Gradpath.Perf;

/// <summary>
/// Every CUDA kernel at a small representative shape, counted by the emulator that runs its PTX: a table, a JSON file, or the page that
/// keeps the table.
/// </summary>
internal static class KernelTable
{
    private const string Begin = "<!-- perf kernels: begin -->", End = "<!-- perf kernels: end -->";

    private const string Page = "perf/KERNELS.md";

    /// <summary>Runs the table.</summary>
    /// <param name="args"><c>--json FILE</c>, <c>--update</c> (the table of perf/KERNELS.md), <c>--only NAME,...</c>.</param>
    /// <returns>Exit code.</returns>
    public static int Run(string[] args)
    {
        string? json = null;
        bool update = false;
        string[]? only = null;
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i] == "--update") update = true;
            else if (args[i] == "--json" && i + 1 < args.Length) json = args[++i];
            else if (args[i] == "--only" && i + 1 < args.Length) only = args[++i].Split(',');
            else return Refuse($"{args[i]}: give --json FILE, --update or --only NAME,...");
        }
        if (update && only is not null) return Refuse("--update writes the whole table: leave --only out");
        if (update && !File.Exists(Page)) return Refuse($"--update: {Page} is not here; run it from the repository's root");
        KernelCase[] cases = [.. KernelSurvey.Cases.Where(c => only is null || only.Contains(c.Kernel))];
        if (only?.FirstOrDefault(name => !KernelSurvey.Resources.ContainsKey(name)) is { } unknown)
            return Refuse($"--only {unknown}: there is no such kernel; there are {string.Join(", ", KernelSurvey.Resources.Keys)}");
        var watch = Stopwatch.StartNew();
        var lines = new List<KernelLine>();
        if (!update) Console.WriteLine(KernelSurvey.Heading);
        foreach (KernelCase c in cases)
        {
            lines.Add(KernelSurvey.Run(c));
            if (!update) Console.WriteLine(lines[^1]);
        }
        try
        {
            if (json is not null) Write(json, lines);
            if (update) Update(lines);
        }
        catch (GradpathException e)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
        Console.Error.WriteLine($"{lines.Count} cases of {lines.Select(l => l.Case.Kernel).Distinct().Count()} kernels in "
            + $"{watch.Elapsed.TotalSeconds:F0} s{(update ? $"; {Page} has the table" : "")}");
        return 0;
    }

    private static void Update(IReadOnlyList<KernelLine> lines)
    {
        string page = File.ReadAllText(Page);
        int from = page.IndexOf(Begin, StringComparison.Ordinal), to = page.IndexOf(End, StringComparison.Ordinal);
        if (from < 0 || to < from) throw new GradpathException($"{Page} lacks the lines {Begin} and {End}, between which the table stands");
        string text = $"{page[..(from + Begin.Length)]}\n{KernelSurvey.Heading}\n{string.Join('\n', lines)}\n{page[to..]}";
        AtomicFile.Write(Page, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
    }

    private static void Write(string path, IReadOnlyList<KernelLine> lines)
    {
        JsonArray list = [.. lines.Select(l => new JsonObject
        {
            ["file"] = l.Resources.File,
            ["kernel"] = l.Case.Kernel,
            ["shape"] = l.Case.Shape,
            ["threads"] = l.Counts.Threads,
            ["live_registers"] = l.Resources.Registers,
            ["allowed_registers"] = l.AllowedRegisters,
            ["static_shared_bytes"] = l.Resources.StaticSharedBytes,
            ["dynamic_shared_bytes"] = l.Counts.DynamicSharedBytes,
            ["instructions"] = l.Counts.Instructions,
            ["bytes_read"] = l.Counts.GlobalBytesRead,
            ["bytes_written"] = l.Counts.GlobalBytesWritten,
            ["sector_bytes"] = l.SectorBytes,
            ["least_bytes"] = l.Case.LeastBytes,
            ["shared_requests"] = l.Counts.SharedRequests,
            ["shared_conflicts"] = l.Counts.SharedConflicts,
        })];
        AtomicFile.Write(path, stream =>
        {
            using (Utf8JsonWriter json = new(stream, new JsonWriterOptions { Indented = true })) list.WriteTo(json);
            stream.WriteByte((byte)'\n');
        });
    }

    private static int Refuse(string message)
    {
        Console.Error.WriteLine($"perf kernels: {message}");
        return 2;
    }
}
