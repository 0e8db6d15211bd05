using System.Text.Json;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Programs;
using Gradpath.Programs.Reporting;

namespace Gradpath.Perf;

/// <summary>One work, measured.</summary>
/// <param name="Work">The name of the work, W1 to W7: see <see cref="Works"/>.</param>
/// <param name="Shape">What it is; names it a sample where it is one.</param>
/// <param name="Device">The device's short name.</param>
/// <param name="Seconds">Median time of one run.</param>
/// <param name="Flops">Flops that no saving avoids.</param>
/// <param name="Bytes">Bytes of weights that are read at least once.</param>
/// <param name="DeviceBytes">Most device memory in use, weights included.</param>
/// <param name="ProcessBytes">Most resident memory of the process, which on the CPU has the device's in it.</param>
/// <param name="Managed">Managed bytes that a warm pass allocates.</param>
/// <param name="OnDevice">Bytes of device memory that a warm pass allocates.</param>
internal sealed record RunLine(
    string Work, string Shape, string Device, double Seconds, double Flops, double Bytes, long DeviceBytes, long ProcessBytes, long Managed,
    long OnDevice)
{
    /// <summary>The longer of flops over the matrix product's rate and bytes over the copy rate.</summary>
    public double FloorSeconds { get; init; } = double.NaN;

    /// <summary>What it was compared with, or null.</summary>
    public string? Baseline { get; init; }

    /// <summary>Seconds of the baseline.</summary>
    public double? BaselineSeconds { get; init; }

    /// <summary>Time over the floor: 1 where nothing is left to gain.</summary>
    public double RatioToFloor => Seconds / FloorSeconds;

    /// <summary>How many times faster than the baseline.</summary>
    public double? RatioToBaseline => BaselineSeconds / Seconds;

    /// <summary>Device memory on a GPU, resident memory of the process on the CPU: what frameworks state.</summary>
    public long PeakBytes => Device == "cpu" ? ProcessBytes : DeviceBytes;

    /// <summary>The table; in JSON with the fields of the file.</summary>
    public static ReportTable Table(IEnumerable<RunLine> lines) => ReportTable.Of("works", lines)
        .Text("work", "work", l => l.Work)
        .Text("shape", "shape", l => l.Shape)
        .Hidden("device", l => l.Device)
        .Column("ours, s", "seconds", l => l.Seconds, l => Text($"{l.Seconds:G4}"))
        .Column("baseline", "baseline", l => l.Baseline, l => l.Baseline ?? "none measured", right: false)
        .Column("baseline, s", "baseline_seconds", l => l.BaselineSeconds, l => Text($"{l.BaselineSeconds:G4}"))
        .Column("ratio", "ratio_to_baseline", l => l.RatioToBaseline, l => Text($"{l.RatioToBaseline:F1}"))
        .Column("floor, s", "floor_seconds", l => l.FloorSeconds, l => Text($"{l.FloorSeconds:G4}"))
        .Column("ratio to floor", "ratio_to_floor", l => l.RatioToFloor, l => Text($"{l.RatioToFloor:F2}"))
        .Column("peak memory: device, process", "peak_bytes", l => l.PeakBytes,
            l => $"{Sizes.Bytes(l.DeviceBytes)}, {Sizes.Bytes(l.ProcessBytes)}")
        .Column("allocated per pass: managed, device", "allocated_bytes_per_pass", l => l.Managed + l.OnDevice,
            l => $"{Sizes.Bytes(l.Managed)}, {Sizes.Bytes(l.OnDevice)}");

    private static string Text(FormattableString text) => FormattableString.Invariant(text);

    /// <summary>Writes measurements as a JSON list of objects, whole or not at all.</summary>
    public static void Write(string path, IEnumerable<RunLine> lines)
    {
        JsonArray list = [.. lines.Select(l => new JsonObject
        {
            ["work"] = l.Work,
            ["shape"] = l.Shape,
            ["device"] = l.Device,
            ["seconds"] = l.Seconds,
            ["floor_seconds"] = l.FloorSeconds,
            ["ratio_to_floor"] = l.RatioToFloor,
            ["baseline"] = l.Baseline,
            ["ratio_to_baseline"] = l.RatioToBaseline,
            ["peak_bytes"] = l.PeakBytes,
            ["allocated_bytes_per_pass"] = l.Managed + l.OnDevice,
        })];
        AtomicFile.Write(path, stream =>
        {
            using (Utf8JsonWriter json = new(stream, new JsonWriterOptions { Indented = true })) list.WriteTo(json);
            stream.WriteByte((byte)'\n');
        });
    }
}
