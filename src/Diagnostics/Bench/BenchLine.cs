using System.Text.Json;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;

namespace Gradpath.Diagnostics.Bench;

/// <summary>One measurement.</summary>
/// <param name="Name">The op or work.</param>
/// <param name="Shape">Its shape in words.</param>
/// <param name="Device">The device's short name.</param>
/// <param name="Seconds">Median time of one run.</param>
/// <param name="Flops">Flops of one run.</param>
/// <param name="Bytes">Least bytes of one run.</param>
/// <param name="ShareOfLimit">Least time over time: 1 where nothing is left to gain.</param>
/// <param name="Peak">Flops or bytes per second that the data sheet states of what was measured; null where there is none.</param>
internal sealed record BenchLine(
    string Name, string Shape, string Device, double Seconds, double Flops, double Bytes, double ShareOfLimit, double? Peak = null)
{
    /// <summary>Seconds of the same by cuBLAS; null where it is not there or has no part in it.</summary>
    public double? CublasSeconds { get; init; }

    /// <summary>Writes measurements as a JSON object of the machine and a list, whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="machine">What measured.</param>
    /// <param name="lines">The measurements.</param>
    public static void Write(string path, JsonObject machine, IEnumerable<BenchLine> lines)
    {
        JsonArray list = [.. lines.Select(l => new JsonObject
        {
            ["name"] = l.Name,
            ["shape"] = l.Shape,
            ["device"] = l.Device,
            ["seconds"] = l.Seconds,
            ["flops"] = l.Flops,
            ["bytes"] = l.Bytes,
            ["share_of_limit"] = l.ShareOfLimit,
            ["peak_per_second"] = l.Peak,
            ["cublas_seconds"] = l.CublasSeconds,
        })];
        JsonObject file = new() { ["machine"] = machine, ["measurements"] = list };
        AtomicFile.Write(path, stream =>
        {
            using (Utf8JsonWriter json = new(stream, new JsonWriterOptions { Indented = true })) file.WriteTo(json);
            stream.WriteByte((byte)'\n');
        });
    }
}
