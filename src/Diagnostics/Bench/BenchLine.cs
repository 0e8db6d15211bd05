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
internal sealed record BenchLine(string Name, string Shape, string Device, double Seconds, double Flops, double Bytes, double ShareOfLimit)
{
    /// <summary>Writes measurements as a JSON list of objects, whole or not at all.</summary>
    public static void Write(string path, IEnumerable<BenchLine> lines)
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
        })];
        AtomicFile.Write(path, stream =>
        {
            using (Utf8JsonWriter json = new(stream, new JsonWriterOptions { Indented = true })) list.WriteTo(json);
            stream.WriteByte((byte)'\n');
        });
    }
}
