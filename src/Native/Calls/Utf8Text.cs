using System.Text;

namespace Gradpath.Native.Calls;

/// <summary>Texts and arrays that come in from C, checked.</summary>
internal static unsafe class Utf8Text
{
    private static readonly UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);

    /// <summary>The bytes of a text.</summary>
    /// <param name="text">Its address.</param>
    /// <param name="length">Its bytes; the largest number that there is where a zero ends it.</param>
    /// <param name="name">The argument, for messages.</param>
    public static ReadOnlySpan<byte> Bytes(byte* text, nuint length, string name)
    {
        if (text is null) return length == 0 ? [] : throw CallException.Argument($"{name} is NULL; a text is needed");
        if (length == nuint.MaxValue)
            return System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text);
        return length <= int.MaxValue
            ? new ReadOnlySpan<byte>(text, (int)length)
            : throw CallException.Argument($"{name} is {length} bytes long; at most {int.MaxValue} can be taken");
    }

    /// <summary>A text that must be there.</summary>
    /// <inheritdoc cref="Bytes"/>
    public static string Required(byte* text, nuint length, string name)
    {
        if (text is null) throw CallException.Argument($"{name} is NULL; a text is needed");
        ReadOnlySpan<byte> bytes = Bytes(text, length, name);
        if (bytes.IsEmpty) throw CallException.Argument($"{name} is empty; a text is needed");
        if (bytes.Contains((byte)0)) throw CallException.Argument($"{name} holds a zero byte");
        return Decode(bytes, name);
    }

    /// <summary>Bytes as a text.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="name">The argument, for messages.</param>
    public static string Decode(ReadOnlySpan<byte> bytes, string name)
    {
        try
        {
            return s_strict.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw CallException.Argument($"{name} is not UTF-8 (byte {e.Index})");
        }
    }

    /// <summary>An array that comes in.</summary>
    /// <typeparam name="T">Its elements.</typeparam>
    /// <param name="values">Its address.</param>
    /// <param name="count">Its elements.</param>
    /// <param name="name">The argument, for messages.</param>
    public static ReadOnlySpan<T> Array<T>(T* values, nuint count, string name)
        where T : unmanaged
    {
        if (values is null && count > 0) throw CallException.Argument($"{name} is NULL; {count} values are needed");
        return count <= int.MaxValue
            ? new ReadOnlySpan<T>(values, (int)count)
            : throw CallException.Argument($"{name} has {count} values; at most {int.MaxValue} can be taken");
    }
}
