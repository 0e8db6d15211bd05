using System.Text.Json;

namespace Gradpath.Gpt2Runtime;

/// <summary>Reads JSON files. What is wrong with one as JSON or as Unicode becomes a message with file and line.</summary>
internal static class JsonFile
{
    /// <summary>How JSON is read: comments are passed over.</summary>
    public static readonly JsonReaderOptions Options = new() { CommentHandling = JsonCommentHandling.Skip };

    // Of two values of one key another program may take the other one.
    private static readonly JsonDocumentOptions s_documents = new()
    {
        CommentHandling = Options.CommentHandling,
        AllowDuplicateProperties = false,
    };

    /// <summary>Parses a file and hands its root to a reader.</summary>
    /// <param name="path">The file.</param>
    /// <param name="read">Makes something of the root; the root is gone afterwards.</param>
    /// <returns>What the reader made.</returns>
    /// <exception cref="GradpathException">The file is unreadable, no JSON or no Unicode, or the reader refused it.</exception>
    public static T Read<T>(string path, Func<JsonElement, T> read) => Parse(path, FileBytes.Read(path), read);

    /// <summary>The same for what has been read already, or stands in another file.</summary>
    /// <param name="path">The file, and perhaps the place in it, for messages.</param>
    /// <param name="bytes">The JSON.</param>
    /// <param name="read">Makes something of the root; the root is gone afterwards.</param>
    /// <inheritdoc cref="Read"/>
    public static T Parse<T>(string path, ReadOnlyMemory<byte> bytes, Func<JsonElement, T> read) => Guard(path, bytes, json =>
    {
        using var document = JsonDocument.Parse(json, s_documents);
        return read(document.RootElement);
    });

    /// <summary>Hands the bytes of a file to a reader that goes through them itself, which is much faster for large objects.</summary>
    /// <inheritdoc cref="Read"/>
    public static T ReadBytes<T>(string path, Func<ReadOnlyMemory<byte>, T> read) => Guard(path, FileBytes.Read(path), read);

    private static T Guard<T>(string path, ReadOnlyMemory<byte> bytes, Func<ReadOnlyMemory<byte>, T> read)
    {
        bytes = FileText.ToUtf8(path, bytes);
        try
        {
            if (LineOfBadText(bytes.Span) is { } bad)
                throw new GradpathException($"{path}, line {bad}: a text is not valid Unicode");
            return read(bytes);
        }
        catch (JsonException error)
        {
            var line = error.LineNumber is { } number ? $", line {number + 1}" : "";
            throw new GradpathException($"{path}{line}: not valid JSON: {Quoted.Reason(error)}", error);
        }
    }

    // The platform decodes a string when it is asked for, which may be late: half of a surrogate pair as an escape is found before. JSON
    // that is malformed is the reader's to say.
    private static int? LineOfBadText(ReadOnlySpan<byte> json)
    {
        if (json.IndexOf("\\u"u8) < 0)
            return null;
        var reader = new Utf8JsonReader(json, Options);
        while (reader.Read())
        {
            if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName) || !reader.ValueIsEscaped)
                continue;
            try
            {
                reader.GetString();
            }
            catch (InvalidOperationException)
            {
                return FileText.Line(json[..(int)reader.TokenStartIndex]);
            }
        }

        return null;
    }

    /// <summary>A property that is there and not null; what is no object has none.</summary>
    public static JsonElement? Property(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? value
            : null;

    /// <summary>A property that must be true or false where it is there; null where it is not.</summary>
    /// <param name="element">The object.</param>
    /// <param name="name">Name of the property.</param>
    /// <param name="where">File and place of the object, for the message.</param>
    /// <exception cref="GradpathException">The property is something else.</exception>
    public static bool? Flag(this JsonElement element, string name, string where) => element.Property(name) is not { } value
        ? null
        : value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw new GradpathException($"{where}: {name} is {Shown(value)}; true or false is needed"),
        };

    /// <summary>A property that must be a string where it is there; null where it is not.</summary>
    /// <inheritdoc cref="Flag"/>
    public static string? Text(this JsonElement element, string name, string where) => element.Property(name) is not { } value
        ? null
        : value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : throw new GradpathException($"{where}: {name} is {Shown(value)}; a string is needed");

    /// <summary>The value at which a reader stands, as a message shows it.</summary>
    public static string Shown(ref Utf8JsonReader reader)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        return Shown(document.RootElement);
    }

    // Where a reader has not looked for bad Unicode before, a message is not to fail at it.
    private static string ShownText(JsonElement value)
    {
        try
        {
            return Quoted.Text(value.GetString());
        }
        catch (InvalidOperationException)
        {
            return "a text that is not valid Unicode";
        }
    }

    /// <summary>A value as a message shows it.</summary>
    public static string Shown(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "a JSON object",
        JsonValueKind.Array => "a JSON array",
        JsonValueKind.String => ShownText(value),
        JsonValueKind.Number when value.GetRawText() is { Length: > 40 } number => $"a number of {number.Length} characters",
        _ => value.GetRawText(),
    };
}
