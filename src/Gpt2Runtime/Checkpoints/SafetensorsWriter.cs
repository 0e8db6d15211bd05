using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>
/// Writes a safetensors file: collect tensors and metadata, then <see cref="Write"/>. float64 and float32 tensors come first and the header
/// is padded to a multiple of 8 bytes, so that every tensor of a mapped file is aligned. The file appears whole or not at all.
/// </summary>
internal sealed class SafetensorsWriter
{
    private readonly List<Item> _items = [];
    private readonly SortedDictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal) { "__metadata__" };

    /// <summary>Adds a string to the metadata.</summary>
    /// <param name="key">Its name; a later string of the same name replaces it.</param>
    /// <param name="value">The string.</param>
    public void AddMetadata(string key, string value) => _metadata[key] = value;

    /// <summary>Adds a float32 tensor.</summary>
    /// <param name="name">Its name, unique in the file.</param>
    /// <param name="values">The elements, row-major.</param>
    /// <param name="shape">Extents; their product is the number of values.</param>
    public void Add(string name, ReadOnlyMemory<float> values, params int[] shape)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(LengthOf(shape), values.Length, nameof(shape));
        Add(new Item(name, "F32", shape, values.Length * 4L, stream => WriteFloats(stream, values.Span)));
    }

    /// <summary>Adds a float64 tensor.</summary>
    /// <param name="name">Its name, unique in the file.</param>
    /// <param name="values">The elements, row-major.</param>
    /// <param name="shape">Extents; their product is the number of values.</param>
    public void Add(string name, ReadOnlyMemory<double> values, params int[] shape)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(LengthOf(shape), values.Length, nameof(shape));
        Add(new Item(name, "F64", shape, values.Length * 8L, stream => stream.Write(MemoryMarshal.AsBytes(values.Span))));
    }

    /// <summary>Adds a uint8 tensor.</summary>
    /// <param name="name">Its name, unique in the file.</param>
    /// <param name="values">The elements, row-major.</param>
    /// <param name="shape">Extents; their product is the number of values.</param>
    public void Add(string name, ReadOnlyMemory<byte> values, params int[] shape)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(LengthOf(shape), values.Length, nameof(shape));
        Add(new Item(name, "U8", shape, values.Length, stream => stream.Write(values.Span)));
    }

    /// <summary>Adds a tensor that lies on a device; it is copied to the host when its turn to be written comes.</summary>
    /// <param name="name">Its name, unique in the file.</param>
    /// <param name="tensor">The tensor.</param>
    public void Add(string name, Tensor tensor) =>
        Add(new Item(name, "F32", tensor.Shape.ToArray(), tensor.Length * 4, stream => WriteFloats(stream, tensor.ToArray())));

    /// <summary>Adds a tensor of floats that is made while it is written.</summary>
    /// <param name="name">Its name, unique in the file.</param>
    /// <param name="half">Whether it is float16; else it is float32.</param>
    /// <param name="shape">Extents.</param>
    /// <param name="content">Writes the elements, row-major and little-endian, all of them.</param>
    public void Add(string name, bool half, int[] shape, Action<Stream> content) =>
        Add(new Item(name, half ? "F16" : "F32", shape, checked(LengthOf(shape) * (half ? 2 : 4)), content));

    /// <summary>Writes the file; one that exists is replaced.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="GradpathException">The file cannot be written.</exception>
    public void Write(string path)
    {
        Item[] items = [.. _items.OrderBy(i => i.Dtype switch { "F64" => 0, "F32" => 1, _ => 2 })];
        byte[] header = HeaderOf(items);
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
            stream.Write(length);
            stream.Write(header);
            foreach (Item item in items) item.Content(stream);
        });
    }

    private static long LengthOf(int[] shape) => shape.Aggregate(1L, static (product, extent) => checked(product * extent));

    private static void WriteFloats(Stream stream, ReadOnlySpan<float> values)
    {
        const int Part = 1 << 20;
        for (; values.Length > Part; values = values[Part..]) stream.Write(MemoryMarshal.AsBytes(values[..Part]));
        stream.Write(MemoryMarshal.AsBytes(values));
    }

    private byte[] HeaderOf(Item[] items)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            if (_metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach ((string key, string value) in _metadata) json.WriteString(key, value);
                json.WriteEndObject();
            }
            long offset = 0;
            foreach (Item item in items)
            {
                json.WriteStartObject(item.Name);
                json.WriteString("dtype", item.Dtype);
                json.WriteStartArray("shape");
                foreach (int extent in item.Shape) json.WriteNumberValue(extent);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += item.Bytes);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        byte[] header = new byte[(buffer.WrittenCount + 7) & ~7];
        buffer.WrittenSpan.CopyTo(header);
        header.AsSpan(buffer.WrittenCount).Fill((byte)' ');
        return header;
    }

    private void Add(Item item)
    {
        if (!_names.Add(item.Name)) throw new ArgumentException($"the file already holds '{item.Name}'", nameof(item));
        _items.Add(item);
    }

    private sealed record Item(string Name, string Dtype, int[] Shape, long Bytes, Action<Stream> Content);
}
