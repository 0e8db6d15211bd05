using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Gradpath.Native.Calls;

/// <summary>Writes into buffers of the caller's.</summary>
internal static unsafe class Output
{
    // Nothing of it goes into a page of HTML, so that letters stay as they are.
    private static readonly JsonSerializerOptions s_readable = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        TypeInfoResolver = JsonTypeInfoResolver.Combine(),
    };

    /// <summary>Writes values and how many there are.</summary>
    /// <typeparam name="T">The elements.</typeparam>
    /// <param name="values">The values.</param>
    /// <param name="buffer">Where to; null to ask for the number alone.</param>
    /// <param name="capacity">Elements that it holds.</param>
    /// <param name="count">Told how many there are; null where that is known.</param>
    /// <param name="name">What they are, for the message.</param>
    /// <exception cref="CallException">The buffer is too small. Nothing has been written but the number.</exception>
    public static void Write<T>(ReadOnlySpan<T> values, T* buffer, nuint capacity, nuint* count, string name)
        where T : unmanaged
    {
        if (count is not null) *count = (nuint)values.Length;
        if (buffer is null)
        {
            if (count is null) throw CallException.Argument($"the buffer and the place for the number of {name} are both NULL");
            return;
        }
        if (capacity < (nuint)values.Length)
            throw new CallException(Status.Buffer, $"the buffer holds {capacity} {name}; {values.Length} are needed");
        values.CopyTo(new Span<T>(buffer, values.Length));
    }

    /// <summary>Writes JSON as <see cref="Write(string, byte*, nuint, nuint*)"/> writes a text.</summary>
    /// <param name="json">The JSON.</param>
    /// <param name="buffer">Where to; null to ask for the length alone.</param>
    /// <param name="capacity">Bytes that it holds.</param>
    /// <param name="length">Told the length; null where it is not wanted.</param>
    public static void Write(JsonObject json, byte* buffer, nuint capacity, nuint* length) =>
        Write(json.ToJsonString(s_readable), buffer, capacity, length);

    /// <summary>Writes a text as zero-terminated UTF-8, and its length without the zero.</summary>
    /// <param name="text">The text.</param>
    /// <param name="buffer">Where to; null to ask for the length alone.</param>
    /// <param name="capacity">Bytes that it holds.</param>
    /// <param name="length">Told the length; null where it is not wanted.</param>
    /// <exception cref="CallException">The buffer is too small. Nothing has been written but the length.</exception>
    public static void Write(string text, byte* buffer, nuint capacity, nuint* length)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        if (length is not null) *length = (nuint)bytes.Length;
        if (buffer is null)
        {
            if (length is null) throw CallException.Argument("the buffer and the place for the length are both NULL");
            return;
        }
        if (capacity <= (nuint)bytes.Length)
        {
            throw new CallException(
                Status.Buffer, $"the buffer holds {capacity} bytes; {bytes.Length + 1} are needed, with the zero at the end");
        }
        bytes.CopyTo(new Span<byte>(buffer, bytes.Length));
        buffer[bytes.Length] = 0;
    }

    /// <summary>Refuses a call that has no place for its result.</summary>
    /// <param name="place">The place.</param>
    /// <param name="name">The argument.</param>
    public static void Require(void* place, string name)
    {
        if (place is null) throw CallException.Argument($"{name} is NULL; the result needs a place");
    }
}
