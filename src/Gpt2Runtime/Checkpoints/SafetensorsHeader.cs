using System.Text.Json;
using System.Text.Unicode;

namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>
/// The JSON header of a safetensors file: <c>{"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ..., "__metadata__":
/// {...}}</c>. Nothing in it is trusted: names must be unique, offsets must lie in the data section and fit shape and type, and the tensors
/// must cover the data section without overlap or gap, as the format demands.
/// </summary>
internal sealed class SafetensorsHeader
{
    private const string MetadataName = "__metadata__";

    private SafetensorsHeader(Dictionary<string, SafetensorsEntry> entries, Dictionary<string, string> metadata)
    {
        Entries = entries;
        Metadata = metadata;
    }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries { get; }

    /// <summary>The free-form strings under <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Reads and checks a header.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="json">The header's bytes, padding included.</param>
    /// <param name="dataBytes">Size of the data section that follows.</param>
    /// <returns>The header.</returns>
    /// <exception cref="GradpathException">The header cannot be trusted; the message names file and tensor.</exception>
    public static SafetensorsHeader Parse(string path, ReadOnlyMemory<byte> json, long dataBytes)
    {
        if (!Utf8.IsValid(json.Span)) throw Bad(path, "the header is not valid UTF-8");
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw Bad(path, "the header is not a JSON object");
            Dictionary<string, SafetensorsEntry> entries = new(StringComparer.Ordinal);
            Dictionary<string, string>? metadata = null;
            foreach (JsonProperty property in document.RootElement.EnumerateObject())
            {
                if (property.NameEquals(MetadataName))
                {
                    if (metadata is not null) throw Bad(path, $"{MetadataName} appears twice in the header");
                    metadata = ReadMetadata(path, property.Value);
                    continue;
                }
                SafetensorsEntry entry = ReadEntry(path, property.Name, property.Value, dataBytes);
                if (!entries.TryAdd(entry.Name, entry)) throw Bad(path, $"tensor {Quoted.Name(entry.Name)} appears twice in the header");
            }
            CheckCoverage(path, entries.Values, dataBytes);
            return new SafetensorsHeader(entries, metadata ?? []);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Bad(path, $"the header is not valid JSON "
                + $"({(e is JsonException j ? Quoted.Reason(j) : "a text is not valid Unicode")})", e);
        }
    }

    private static Dictionary<string, string> ReadMetadata(string path, JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object) throw Bad(path, $"{MetadataName} is not a JSON object of strings");
        Dictionary<string, string> metadata = new(StringComparer.Ordinal);
        foreach (JsonProperty property in element.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.String)
                throw Bad(path, $"{MetadataName} entry {Quoted.Name(property.Name)} is not a string");
            if (!metadata.TryAdd(property.Name, property.Value.GetString()!))
                throw Bad(path, $"{MetadataName} entry {Quoted.Name(property.Name)} appears twice");
        }
        return metadata;
    }

    private static SafetensorsEntry ReadEntry(string path, string name, JsonElement element, long dataBytes)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw Bad(path, $"the header entry of tensor {Quoted.Name(name)} is not a JSON object");
        if (element.EnumerateObject().CountBy(field => field.Name).FirstOrDefault(field => field.Value > 1) is { Key: { } twice })
            throw Bad(path, $"{Quoted.Text(twice)} appears twice in the header entry of tensor {Quoted.Name(name)}");
        if (!element.TryGetProperty("dtype", out JsonElement type) || type.ValueKind != JsonValueKind.String)
        {
            throw Bad(path, $"tensor {Quoted.Name(name)} has no dtype; a string such as \"F32\" is expected");
        }
        string dtype = type.GetString()!;
        long[] shape = ReadNumbers(path, name, element, "shape");
        long[] offsets = ReadNumbers(path, name, element, "data_offsets");
        if (offsets.Length != 2) throw Bad(path, $"tensor {Quoted.Name(name)} has {offsets.Length} data_offsets; begin and end are "
            + $"expected");
        (long begin, long end) = (offsets[0], offsets[1]);
        if (end < begin) throw Bad(path, $"tensor {Quoted.Name(name)} has data_offsets [{begin}, {end}]: the end lies before the begin");
        if (end > dataBytes)
        {
            throw Bad(path, $"the data of tensor {Quoted.Name(name)} would end at byte {end} after the header, but only {dataBytes} "
                + $"bytes follow it: the file is truncated or damaged; {SafetensorsFile.Again}");
        }

        SafetensorsEntry entry = new(name, dtype, shape, begin, end - begin);
        int bits = SafetensorsEntry.BitsOf(dtype);
        if (bits != 0 && BytesOf(shape, bits) is var expected && expected != entry.Bytes)
        {
            string need = expected < 0 ? "more than a file can hold" : $"{expected} bytes";
            throw Bad(path, $"tensor {Quoted.Name(name)} of shape {entry.ShapeText} and dtype {Quoted.Name(dtype)[1..^1]} needs {need}, "
                + $"but its data_offsets [{begin}, {end}] span {entry.Bytes}");
        }
        return entry;
    }

    private static long[] ReadNumbers(string path, string name, JsonElement element, string field)
    {
        if (!element.TryGetProperty(field, out JsonElement array) || array.ValueKind != JsonValueKind.Array)
        {
            throw Bad(path, $"tensor {Quoted.Name(name)} has no {field}; a list of integers is expected");
        }
        long[] numbers = new long[array.GetArrayLength()];
        int i = 0;
        foreach (JsonElement item in array.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out long number) || number < 0)
            {
                throw Bad(path, $"tensor {Quoted.Name(name)}: {JsonFile.Shown(item)} in its {field} is not a whole number from 0 on");
            }
            numbers[i++] = number;
        }
        return numbers;
    }

    /// <summary>Size of a tensor, or -1 where it goes beyond 64 bits (or does not fill whole bytes).</summary>
    private static long BytesOf(long[] shape, int bits)
    {
        if (shape.Contains(0)) return 0;
        Int128 product = bits;
        foreach (long extent in shape)
        {
            product *= extent;
            if (product > long.MaxValue) return -1;
        }
        return product % 8 == 0 ? (long)(product / 8) : -1;
    }

    private static void CheckCoverage(string path, IEnumerable<SafetensorsEntry> entries, long dataBytes)
    {
        long covered = 0;
        string? before = null;
        foreach (SafetensorsEntry entry in entries.OrderBy(e => e.Offset).ThenBy(e => e.Bytes))
        {
            if (entry.Offset < covered)
                throw Bad(path, $"the data of tensors {Quoted.Name(before)} and {Quoted.Name(entry.Name)} overlap at byte "
                    + $"{entry.Offset} after the header");
            if (entry.Offset > covered)
                throw Bad(path, $"bytes {covered} to {entry.Offset} after the header, before tensor {Quoted.Name(entry.Name)}, belong "
                    + $"to no tensor");
            covered = entry.Offset + entry.Bytes;
            before = entry.Name;
        }
        if (covered != dataBytes)
            throw Bad(path, $"the last {dataBytes - covered} bytes belong to no tensor: the header describes {covered} bytes of data, the "
                + $"file holds {dataBytes}");
    }

    private static GradpathException Bad(string path, string what, Exception? inner = null) => new($"{path}: {what}", inner);
}
