using System.Globalization;
using Gradpath.Diagnostics.KernelRuns;
using Gradpath.Diagnostics.SelfTest;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Host.Commands;

/// <summary>The tables of <c>gradpath kernels</c>.</summary>
internal static class KernelsTables
{
    /// <summary>The entry points.</summary>
    /// <param name="entries">What the PTX says.</param>
    /// <param name="loaded">What the driver made of them; empty without a GPU.</param>
    public static ReportTable List(IEnumerable<KernelEntry> entries, Dictionary<string, CudaKernelInfo> loaded)
    {
        CudaKernelInfo? Of(KernelEntry entry) => loaded.GetValueOrDefault(entry.Name);
        ReportTableOf<KernelEntry> table = ReportTable.Of("kernels", entries)
            .Text("file", "file", e => e.File)
            .Text("kernel", "name", e => e.Name)
            .Column("threads", "threads", e => Threads(e), e => Threads(e)?.ToString(CultureInfo.InvariantCulture) ?? "any")
            .Count("live registers", "live_registers", e => e.LiveRegisters);
        Count("registers", "registers", k => k.Registers);
        Count("local bytes", "local_bytes", k => k.LocalBytes);
        Count("static shared", "static_shared_bytes", k => k.StaticSharedBytes);
        Count("dynamic shared", "dynamic_shared_bytes", k => k.DynamicSharedBytes);
        Count("blocks at once", "resident_blocks", k => k.ResidentBlocks);
        return table.Hidden("tile_registers", e => TileRegisters.Of(e.Name, 0) is null
            ? null
            : string.Join(' ', TileRegisters.Capabilities.Select(c => $"{c}:{TileRegisters.Of(e.Name, c)}")));

        void Count(string heading, string name, Func<CudaKernelInfo, long> value)
        {
            if (loaded.Count > 0) table.Count(heading, name, e => Of(e) is { } k ? value(k) : null);
            else table.Hidden(name, _ => null);
        }
    }

    /// <summary>The compiled files.</summary>
    /// <param name="images">The files and their images.</param>
    public static ReportTable Images(IReadOnlyList<(string File, KernelImage Image)> images) => ReportTable.Of("images", images)
        .Text("file", "file", i => i.File)
        .Count("bytes", "bytes", i => i.Image.Bytes.Length)
        .Column(
            "compiler, ms", "compiler_milliseconds", i => 1000 * i.Image.Seconds,
            i => (1000 * i.Image.Seconds).ToString("0.0", CultureInfo.InvariantCulture))
        .Column("from", "from_cache", i => i.Image.IsKept, i => i.Image.IsKept ? "cache" : "compiler", right: false)
        .Hidden("log", i => i.Image.Log);

    /// <summary>Times.</summary>
    /// <param name="timings">The times.</param>
    public static ReportTable Timings(IReadOnlyList<KernelTiming> timings)
    {
        ReportTableOf<KernelTiming> table = ReportTable.Of("timings", timings)
            .Text("op", "name", t => t.Name)
            .Text("shape", "shape", t => t.Shape);
        if (timings.Any(t => t.Plan is not null)) table.Text("plan", "plan", t => t.Plan);
        else table.Hidden("plan", t => t.Plan);
        return table
            .Column("time", "seconds", t => t.Seconds, t => Time(t.Seconds))
            .Column("fastest", "fastest_seconds", t => t.Fastest, t => Time(t.Fastest))
            .Hidden("flops", t => t.Flops)
            .Hidden("bytes", t => t.Bytes)
            .Column("GFLOP/s", "flops_per_second", t => t.Flops / t.Seconds, t => Rate(t.Flops / t.Seconds))
            .Column("GB/s", "bytes_per_second", t => t.Bytes / t.Seconds, t => Rate(t.Bytes / t.Seconds));
    }

    /// <summary>Comparisons with the CPU.</summary>
    /// <param name="checks">The comparisons.</param>
    public static ReportTable Checks(IEnumerable<ComparisonLine> checks) => ReportTable.Of("checks", checks)
        .Text("against the CPU", "name", l => l.Name)
        .Count("cases", "cases", l => l.Cases)
        .Column("largest error", "error", l => l.Error, l => Scientific(l.Error))
        .Column("allowed", "allowed", l => l.Allowed, l => Scientific(l.Allowed))
        .Hidden("fault", l => l.Fault)
        .Shows("", l => l.Fault is null ? "ok" : "FAILED", right: false);

    private static int? Threads(KernelEntry entry) => entry.Threads == 0 ? null : entry.Threads;

    private static string Scientific(double value) =>
        double.IsNaN(value) ? "-" : value == 0 ? "0" : value.ToString("0.0e+00", CultureInfo.InvariantCulture);

    private static string Time(double seconds) => seconds switch
    {
        < 1e-3 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e6:F1} us"),
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e3:F2} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds:F2} s"),
    };

    private static string Rate(double perSecond) =>
        perSecond == 0 ? "-" : (perSecond / 1e9).ToString(perSecond < 1e10 ? "F2" : "F0", CultureInfo.InvariantCulture);
}
