using System.Text.Json;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;

namespace Gradpath.Host.Sweeps.Units;

/// <summary>An object of a file that this program has written: what is missing, unknown, there twice or of another kind is
/// refused.</summary>
internal sealed class StrictJson
{
    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };

    private readonly JsonObject _json;
    private readonly string _place;
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    private StrictJson(JsonObject json, string place)
    {
        _json = json;
        _place = place;
    }

    /// <summary>Reads a file whose content is one object.</summary>
    /// <typeparam name="T">What it holds.</typeparam>
    /// <param name="path">The file.</param>
    /// <param name="advice">What helps where it is damaged: the end of a sentence.</param>
    /// <param name="read">Reads the object; keys that it leaves are refused.</param>
    /// <exception cref="GradpathException">The file cannot be read or is damaged.</exception>
    public static T ReadFile<T>(string path, string advice, Func<StrictJson, T> read) =>
        Read(FileBytes.Read(path).Span, path, advice, read);

    /// <summary>Reads a text that is one object.</summary>
    /// <typeparam name="T">What it holds.</typeparam>
    /// <param name="text">The text in UTF-8.</param>
    /// <param name="path">The file that it is from, for messages.</param>
    /// <param name="advice">What helps where it is damaged: the end of a sentence.</param>
    /// <param name="read">Reads the object; keys that it leaves are refused.</param>
    /// <exception cref="GradpathException">The text is damaged.</exception>
    public static T Read<T>(ReadOnlySpan<byte> text, string path, string advice, Func<StrictJson, T> read)
    {
        if (text.IsEmpty) throw new GradpathException($"{path}: damaged: the file is empty; {advice}");
        try
        {
            if (JsonNode.Parse(text, null, s_strict) is not JsonObject json) throw new FormatException("it is no JSON object");
            StrictJson strict = new(json, "");
            T value = read(strict);
            strict.RefuseOthers();
            return value;
        }
        catch (JsonException e)
        {
            throw new GradpathException($"{path}: damaged: it is no JSON: {Quoted.Reason(e)}; {advice}", e);
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException)
        {
            // A text that is no text is found out when it is asked for.
            string fault = e is FormatException ? e.Message : "a text in it is malformed";
            throw new GradpathException($"{path}: damaged: {fault}; {advice}", e);
        }
    }

    /// <summary>Reads a text that <see cref="SealedJson"/> wrote. What is wrong with a value is said before the checksum.</summary>
    /// <inheritdoc cref="Read{T}(ReadOnlySpan{byte}, string, string, Func{StrictJson, T})"/>
    public static T ReadSealed<T>(ReadOnlySpan<byte> text, string path, string advice, Func<StrictJson, T> read)
    {
        string? fault = SealedJson.Fault(text);
        return Read(text, path, advice, json =>
        {
            T value = read(json);
            json._read.Add(SealedJson.Key);
            json.RefuseOthers();
            return fault is null ? value : throw new FormatException(fault);
        });
    }

    /// <summary>What to throw where a value has another fault.</summary>
    /// <param name="key">The key.</param>
    /// <param name="fault">The fault: the end of a sentence about the key.</param>
    public FormatException Fault(string key, string fault) => new($"'{Place(key)}' {fault}");

    /// <summary>Whether there is such a key.</summary>
    /// <param name="key">The key.</param>
    public bool Has(string key) => _json.ContainsKey(key);

    /// <summary>A text.</summary>
    /// <param name="key">Its key.</param>
    public string Text(string key) =>
        Value(key) is JsonValue value && value.TryGetValue(out string? text) ? text : throw Fault(key, "is no text");

    /// <summary>A text that may be null.</summary>
    /// <param name="key">Its key.</param>
    public string? TextOrNull(string key) => Value(key) is null ? null : Text(key);

    /// <summary>A whole number of 0 or more.</summary>
    /// <param name="key">Its key.</param>
    public int Count(string key) => Value(key) is JsonValue value && value.TryGetValue(out int count) && count >= 0
        ? count
        : throw Fault(key, "is no count");

    /// <summary>A whole number of 0 or more; null where the key is missing.</summary>
    /// <param name="key">Its key.</param>
    public int? CountIfAny(string key) => Has(key) ? Count(key) : null;

    /// <summary>A number; NaN where it is null.</summary>
    /// <param name="key">Its key.</param>
    public double Number(string key)
    {
        JsonNode? node = Value(key);
        if (node is null) return double.NaN;
        return node is JsonValue value && value.TryGetValue(out double number) && double.IsFinite(number)
            ? number
            : throw Fault(key, "is no number");
    }

    /// <summary>A number, NaN where it is null; null where the key is missing.</summary>
    /// <param name="key">Its key.</param>
    public double? NumberIfAny(string key) => Has(key) ? Number(key) : null;

    /// <summary>A number that is there.</summary>
    /// <param name="key">Its key.</param>
    public double Finite(string key) => double.IsNaN(Number(key)) ? throw Fault(key, "is no number") : Number(key);

    /// <summary>An object whose keys are not this program's to check; the caller owns it.</summary>
    /// <param name="key">Its key.</param>
    public JsonObject Free(string key)
    {
        JsonObject json = Value(key) as JsonObject ?? throw Fault(key, "is no object");
        _json[key] = null;
        return json;
    }

    /// <summary>An object of texts, in their order.</summary>
    /// <param name="key">Its key.</param>
    public IReadOnlyList<(string Key, string Text)> Texts(string key)
    {
        StrictJson texts = new(Value(key) as JsonObject ?? throw Fault(key, "is no object"), $"{Place(key)}.");
        return [.. texts._json.Select(t => (t.Key, texts.Text(t.Key)))];
    }

    /// <summary>A list of texts.</summary>
    /// <param name="key">Its key.</param>
    public IReadOnlyList<string> TextList(string key) => [.. List(key).Select((node, i) =>
        node is JsonValue value && value.TryGetValue(out string? text) ? text : throw Fault($"{key}[{i}]", "is no text"))];

    /// <summary>An object.</summary>
    /// <typeparam name="T">What it holds.</typeparam>
    /// <param name="key">Its key.</param>
    /// <param name="read">Reads the object; keys that it leaves are refused.</param>
    public T Object<T>(string key, Func<StrictJson, T> read) => Inner(key, Value(key), read);

    /// <summary>An object; null where it is null.</summary>
    /// <typeparam name="T">What it holds.</typeparam>
    /// <param name="key">Its key.</param>
    /// <param name="read">Reads the object; keys that it leaves are refused.</param>
    public T? ObjectOrNull<T>(string key, Func<StrictJson, T> read)
        where T : struct => Value(key) is null ? null : Inner(key, Value(key), read);

    /// <summary>A list of objects.</summary>
    /// <typeparam name="T">What one holds.</typeparam>
    /// <param name="key">Its key.</param>
    /// <param name="read">Reads one; keys that it leaves are refused.</param>
    public IReadOnlyList<T> Objects<T>(string key, Func<StrictJson, T> read) =>
        [.. List(key).Select((node, i) => Inner($"{key}[{i}]", node, read))];

    private T Inner<T>(string key, JsonNode? node, Func<StrictJson, T> read)
    {
        StrictJson inner = new(node as JsonObject ?? throw Fault(key, "is no object"), $"{Place(key)}.");
        T value = read(inner);
        inner.RefuseOthers();
        return value;
    }

    private JsonArray List(string key) => Value(key) as JsonArray ?? throw Fault(key, "is no list");

    private JsonNode? Value(string key)
    {
        _read.Add(key);
        return _json.TryGetPropertyValue(key, out JsonNode? value) ? value : throw Fault(key, "is missing");
    }

    private void RefuseOthers()
    {
        if (_json.Select(e => e.Key).FirstOrDefault(k => !_read.Contains(k)) is { } other)
            throw new FormatException($"{Quoted.Name($"{_place}{other}")} is no key of this version");
    }

    private string Place(string key) => $"{_place}{key}";
}
