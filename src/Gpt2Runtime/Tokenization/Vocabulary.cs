using System.Text.Json;

namespace Gradpath.Gpt2Runtime.Tokenization;

/// <summary>Tokens with their ids, and the merges that make them: what vocab.json and merges.txt state, or tokenizer.json.</summary>
internal sealed class Vocabulary
{
    // Ids may have gaps, but ten bytes of a file are not to ask for ten million places in memory.
    private const int LargestGap = 1 << 20;

    // Bytes of an entry of GPT-2's vocab.json, for the first size of the table.
    private const int AverageEntry = 20;

    private Vocabulary(string source, Dictionary<string, int> ids, string?[] tokens)
    {
        Source = source;
        Ids = ids;
        Tokens = tokens;
        for (var value = 0; value < 256; value++)
            HasByte[value] = ids.ContainsKey(ByteAlphabet.ToCharacter((byte)value).ToString());
        IsComplete = !HasByte.Contains(false);
    }

    /// <summary>Path of the file that holds the tokens, for messages.</summary>
    public string Source { get; }

    /// <summary>Token, as the file spells it, to id.</summary>
    public Dictionary<string, int> Ids { get; }

    /// <summary>Id to token; null for ids that the file leaves out.</summary>
    public string?[] Tokens { get; }

    /// <summary>Whether each single byte is a token.</summary>
    public bool[] HasByte { get; } = new bool[256];

    /// <summary>Whether every byte is a token, so that any text can be encoded.</summary>
    public bool IsComplete { get; }

    /// <summary>The merges, best first: two tokens with a space between them.</summary>
    public IReadOnlyList<string> Merges { get; init; } = [];

    /// <summary>The vocabulary with its merges.</summary>
    public Vocabulary With(IReadOnlyList<string> merges) => new(Source, Ids, Tokens) { Merges = merges };

    /// <summary>Reads vocab.json.</summary>
    /// <inheritdoc cref="Read(ReadOnlySpan{byte}, string)"/>
    public static Vocabulary Read(string path) => JsonFile.ReadBytes(path, bytes => Read(bytes.Span, path));

    /// <summary>Reads a JSON object from token to id.</summary>
    /// <param name="json">The object.</param>
    /// <param name="path">The file that holds it.</param>
    /// <returns>The vocabulary, still without merges.</returns>
    /// <exception cref="GradpathException">It is no such object, or a token or an id stands twice.</exception>
    public static Vocabulary Read(ReadOnlySpan<byte> json, string path)
    {
        var reader = new Utf8JsonReader(json, JsonFile.Options);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new GradpathException($"{path}: a JSON object from token to id is needed, not {JsonFile.Shown(ref reader)}");

        var ids = new Dictionary<string, int>(json.Length / AverageEntry, StringComparer.Ordinal);
        var (largest, largestToken) = (0, "");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var token = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out var id) || id < 0)
                throw BadId(token, JsonFile.Shown(ref reader), path);
            if (!ids.TryAdd(token, id))
                throw new GradpathException($"{path}: the token {Quoted.Text(token)} appears twice");
            if (id > largest)
                (largest, largestToken) = (id, token);
        }

        // Whatever follows the object is refused by the reader.
        reader.Read();
        if (ids.Count == 0)
            throw new GradpathException($"{path}: the vocabulary is empty");
        var tokens = new string?[CheckId(largest, largestToken, ids.Count, path) + 1];
        foreach (var (token, id) in ids)
        {
            if (tokens[id] is { } other)
                throw new GradpathException($"{path}: {Quoted.Text(other)} and {Quoted.Text(token)} have the same id {id}");
            tokens[id] = token;
        }

        return new Vocabulary(path, ids, tokens);
    }

    /// <summary>Reads the id of a token.</summary>
    /// <param name="value">What the file states.</param>
    /// <param name="token">The token.</param>
    /// <param name="count">Number of tokens of the vocabulary, far beyond which no id can be meant.</param>
    /// <param name="where">File, for the message.</param>
    /// <exception cref="GradpathException">It is no usable id.</exception>
    public static int ReadId(JsonElement value, string token, int count, string where)
    {
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out var id) || id < 0)
            throw BadId(token, JsonFile.Shown(value), where);
        return CheckId(id, token, count, where);
    }

    /// <summary>Refuses an id that the size of the vocabulary cannot explain.</summary>
    /// <inheritdoc cref="ReadId"/>
    public static int CheckId(int id, string token, int count, string where) => id < count + LargestGap
        ? id
        : throw new GradpathException($"{where}: the id of {Quoted.Text(token)} is {id}, far beyond a vocabulary of {count} tokens");

    private static GradpathException BadId(string token, string shown, string where) =>
        new($"{where}: the id of {Quoted.Text(token)} is {shown}; an integer from 0 is needed");
}
