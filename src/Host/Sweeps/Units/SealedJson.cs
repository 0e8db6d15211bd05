using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gradpath.Host.Sweeps.Units;

/// <summary>
/// JSON whose last property, <c>checksum</c>, is the SHA-256 of the object's text without it, so that a digit which changes on a disk is
/// noticed.
/// </summary>
internal static class SealedJson
{
    /// <summary>The property's name.</summary>
    public const string Key = "checksum";

    private const int Digits = 2 * SHA256.HashSizeInBytes;

    private static readonly byte[] s_begin = Encoding.UTF8.GetBytes($",\"{Key}\":\"");

    /// <summary>The text of an object that is not empty, with its checksum, on one line.</summary>
    /// <param name="json">The object, without a checksum.</param>
    public static byte[] Write(JsonObject json)
    {
        using MemoryStream text = new();
        using (Utf8JsonWriter writer = new(text)) json.WriteTo(writer);
        string sum = Convert.ToHexStringLower(SHA256.HashData(text.GetBuffer().AsSpan(0, (int)text.Length)));

        // In the place of the brace.
        text.SetLength(text.Length - 1);
        text.Position = text.Length;
        text.Write(s_begin);
        text.Write(Encoding.ASCII.GetBytes(sum));
        text.Write("\"}\n"u8);
        return text.ToArray();
    }

    /// <summary>Why a text is not what was written; null where it is.</summary>
    /// <param name="text">The text in UTF-8; white space behind it does not count.</param>
    public static string? Fault(ReadOnlySpan<byte> text)
    {
        ReadOnlySpan<byte> whole = text.TrimEnd(" \t\r\n"u8);
        int at = whole.Length - s_begin.Length - Digits - 2;
        if (at < 0 || !whole[at..].StartsWith(s_begin) || !whole.EndsWith("\"}"u8)) return "it does not end with its checksum";
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(whole[..at]);
        hash.AppendData("}"u8);
        string sum = Convert.ToHexStringLower(hash.GetHashAndReset());
        return whole.Slice(at + s_begin.Length, Digits).SequenceEqual(Encoding.ASCII.GetBytes(sum))
            ? null
            : "its content does not match its checksum";
    }
}
