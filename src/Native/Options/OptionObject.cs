using System.Text.Json;
using Gradpath.Gpt2Runtime;
using Gradpath.Native.Calls;

namespace Gradpath.Native.Options;

/// <summary>
/// Options that come as a JSON object. Their names are those of the command line, with dashes or underscores. A value of null is a value
/// that is not given, and a name that nobody asks for is refused.
/// </summary>
internal sealed class OptionObject
{
    private readonly Dictionary<string, JsonElement> _values = new(StringComparer.Ordinal);
    private readonly List<string> _asked = [];

    private OptionObject(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw CallException.Argument($"options: a JSON object is needed, not {JsonFile.Shown(root)}");
        foreach (JsonProperty property in root.EnumerateObject())
        {
            if (!_values.TryAdd(property.Name.Replace('_', '-'), property.Value.Clone()))
                throw CallException.Argument($"options: {property.Name} is given twice");
        }
    }

    private OptionObject()
    {
    }

    /// <summary>Reads options.</summary>
    /// <typeparam name="T">What they make.</typeparam>
    /// <param name="json">The object; nothing for no options.</param>
    /// <param name="read">Asks for every option that there is, and makes something of them.</param>
    /// <exception cref="CallException">They are not a JSON object, or an option is unknown or of the wrong kind.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json, Func<OptionObject, T> read)
    {
        OptionObject options = json.IsEmpty ? new() : Parse(json);
        T made = read(options);
        foreach (string name in options._values.Keys)
        {
            if (options._asked.Contains(name)) continue;
            throw CallException.Argument(options._asked.Count == 0
                ? $"options: {name} is given, and there are no options here"
                : $"options: {name}: {TableNames.Unknown("option", name, [.. options._asked])}");
        }
        return made;
    }

    /// <summary>Whether an option is given. It counts as asked for.</summary>
    /// <param name="name">The option.</param>
    public bool Has(string name) => Find(name) is not null;

    /// <summary>A text; null where it is not given.</summary>
    /// <param name="name">The option.</param>
    public string? Text(string name) => Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString() : throw Wrong(name, value, "a string");

    /// <summary>True or false; null where it is not given.</summary>
    /// <param name="name">The option.</param>
    public bool? Flag(string name) => Find(name) is not { } value ? null
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Wrong(name, value, "true or false");

    /// <summary>A whole number; null where it is not given.</summary>
    /// <param name="name">The option.</param>
    /// <param name="least">The least that it may be.</param>
    /// <param name="most">The most that it may be.</param>
    public long? Whole(string name, long least, long most) => Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) && number >= least && number <= most ? number
        : throw Wrong(name, value, $"a whole number from {least} to {most}");

    /// <summary>A whole number of 32 bits; null where it is not given.</summary>
    /// <param name="name">The option.</param>
    /// <param name="least">The least that it may be.</param>
    public int? Count(string name, int least) => (int?)Whole(name, least, int.MaxValue);

    /// <summary>A seed; null where it is not given.</summary>
    /// <param name="name">The option.</param>
    public ulong? Seed(string name = "seed") => (ulong?)Whole(name, 0, long.MaxValue);

    /// <summary>A number; null where it is not given.</summary>
    /// <param name="name">The option.</param>
    public double? Number(string name) => Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number) ? number
        : throw Wrong(name, value, "a number");

    /// <summary>Numbers; null where they are not given.</summary>
    /// <param name="name">The option.</param>
    public double[]? Numbers(string name) => Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(v => v.ValueKind == JsonValueKind.Number)
            ? [.. value.EnumerateArray().Select(v => v.GetDouble())]
            : throw Wrong(name, value, "an array of numbers");

    /// <summary>Texts, or one text with commas between; empty where they are not given.</summary>
    /// <param name="name">The option.</param>
    public string[] Texts(string name) => Find(name) is not { } value ? []
        : value.ValueKind == JsonValueKind.String ? value.GetString()!.Split(',', StringSplitOptions.TrimEntries)
        : value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(v => v.ValueKind == JsonValueKind.String)
            ? [.. value.EnumerateArray().Select(v => v.GetString()!)]
            : throw Wrong(name, value, "an array of strings");

    /// <summary>A value of an enumeration; null where it is not given.</summary>
    /// <typeparam name="T">The enumeration.</typeparam>
    /// <param name="name">The option.</param>
    public T? Value<T>(string name)
        where T : struct, Enum
    {
        if (Text(name) is not { } text) return null;
        foreach (T value in Enum.GetValues<T>())
        {
            if (TableNames.Same(text, CanonicalNames.Of(value)) || TableNames.Same(text, value.ToString())) return value;
        }
        string[] names = [.. Enum.GetValues<T>().Select(v => CanonicalNames.Of(v))];
        throw CallException.Argument($"options: {name} {text}: {TableNames.Unknown("value", text, names)}");
    }

    private static OptionObject Parse(ReadOnlySpan<byte> json)
    {
        Utf8Text.Decode(json, "options");
        try
        {
            return JsonFile.Parse("options", json.ToArray(), root => new OptionObject(root));
        }
        catch (GradpathException e)
        {
            throw CallException.Argument(e.Message);
        }
    }

    private static CallException Wrong(string name, JsonElement value, string needed) =>
        CallException.Argument($"options: {name} is {JsonFile.Shown(value)}; {needed} is needed");

    private JsonElement? Find(string name)
    {
        if (!_asked.Contains(name)) _asked.Add(name);
        return _values.TryGetValue(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }
}
