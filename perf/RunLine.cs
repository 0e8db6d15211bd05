using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Programs;

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

    /// <summary>The table in markdown.</summary>
    public static IEnumerable<string> Table(IEnumerable<RunLine> lines) =>
    [
        "| work | shape | ours, s | baseline | baseline, s | ratio | floor, s | ratio to floor | peak memory: device, process | allocated "
            + "per pass: managed, device |",
        "|---|---|---:|---|---:|---:|---:|---:|---:|---:|",
        .. lines.Select(l => string.Create(
            CultureInfo.InvariantCulture,
            $"| {l.Work} | {l.Shape} | {l.Seconds:G4} | {l.Baseline ?? "none measured"} | {l.BaselineSeconds:G4} | {l.RatioToBaseline:F1} "
                + $"| {l.FloorSeconds:G4} | {l.RatioToFloor:F2} | {Sizes.Bytes(l.DeviceBytes)}, {Sizes.Bytes(l.ProcessBytes)} | "
                + $"{Sizes.Bytes(l.Managed)}, {Sizes.Bytes(l.OnDevice)} |")),
    ];

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
