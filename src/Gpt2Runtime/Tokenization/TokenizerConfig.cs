using System.Globalization;
using System.Text.Json;

namespace Gradpath.Gpt2Runtime.Tokenization;

/// <summary>
/// Special tokens and settings, from tokenizer_config.json or special_tokens_map.json (which holds the special tokens alone), and the
/// added tokens of added_tokens.json.
/// </summary>
internal sealed record TokenizerConfig
{
    /// <summary>The special tokens that have a name, in the order in which Hugging Face's library adds those that lack an id.</summary>
    public static readonly IReadOnlyList<string> Names =
        ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    // Names of lists of further special tokens: of the current format and of the one before it.
    private static readonly string[] ListNames = ["additional_special_tokens", "extra_special_tokens"];

    /// <summary>The class that reads the tokenizer, where the file states one.</summary>
    public string? TokenizerClass { get; private init; }

    /// <summary>Whether text that does not begin with a space gets one, where the file states it.</summary>
    public bool? AddPrefixSpace { get; private init; }

    /// <summary>Whether special tokens in a text are ordinary text.</summary>
    public bool SplitSpecialTokens { get; private init; }

    /// <summary>The added tokens with their ids, where the file lists them.</summary>
    public IReadOnlyList<AddedToken>? AddedTokens { get; private init; }

    /// <summary>The special tokens that the file names. Null as a token: the file says that there is none of this name.</summary>
    public IReadOnlyDictionary<string, AddedToken?> Special { get; private init; } = new Dictionary<string, AddedToken?>();

    /// <summary>Further special tokens without names.</summary>
    public IReadOnlyList<AddedToken> MoreSpecial { get; private init; } = [];

    /// <summary>Reads a file.</summary>
    /// <param name="path">A tokenizer_config.json or special_tokens_map.json.</param>
    /// <param name="tokens">Number of tokens of the vocabulary, far beyond which no id can be meant.</param>
    /// <exception cref="GradpathException">Something in it is not what it should be.</exception>
    public static TokenizerConfig Read(string path, int tokens) => JsonFile.Read(path, root =>
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw new GradpathException($"{path}: a JSON object is needed, not {JsonFile.Shown(root)}");

        var special = new Dictionary<string, AddedToken?>(StringComparer.Ordinal);
        foreach (var name in Names)
        {
            if (root.TryGetProperty(name, out var value))
                special[name] = value.ValueKind == JsonValueKind.Null ? null : ReadToken(value, isSpecial: true, $"{path}: {name}");
        }

        return new TokenizerConfig
        {
            TokenizerClass = root.Text("tokenizer_class", path),
            AddPrefixSpace = root.Flag("add_prefix_space", path),
            SplitSpecialTokens = root.Flag("split_special_tokens", path) ?? false,
            AddedTokens = root.Property("added_tokens_decoder") is { } decoder ? ReadDecoder(decoder, path, tokens) : null,
            Special = special,
            MoreSpecial = [.. ListNames.SelectMany(name => ReadList(root, name, path))],
        };
    });

    /// <summary>Reads added_tokens.json: an object from token to id.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tokens">Number of tokens of the vocabulary, far beyond which no id can be meant.</param>
    /// <param name="isSpecial">Whether a token of this text is a special one.</param>
    /// <exception cref="GradpathException">Something in it is not what it should be.</exception>
    public static IReadOnlyList<AddedToken> ReadAddedTokens(string path, int tokens, Predicate<string> isSpecial)
    {
        return JsonFile.Read(path, root => root.ValueKind == JsonValueKind.Object
            ? root.EnumerateObject().Select(Read).ToArray()
            : throw new GradpathException($"{path}: a JSON object from token to id is needed, not {JsonFile.Shown(root)}"));

        AddedToken Read(JsonProperty entry)
        {
            var token = new AddedToken(entry.Name) { Special = isSpecial(entry.Name), Normalized = !isSpecial(entry.Name) };
            return token with { Id = Vocabulary.ReadId(entry.Value, token.Content, tokens, path) };
        }
    }

    /// <summary>Reads a token: its text, or an object with its text (<c>content</c>) and flags.</summary>
    /// <param name="json">The token.</param>
    /// <param name="isSpecial">Whether it is a special token where it does not say so.</param>
    /// <param name="where">File and place, for messages.</param>
    /// <exception cref="GradpathException">It is neither.</exception>
    public static AddedToken ReadToken(JsonElement json, bool isSpecial, string where)
    {
        if (json.ValueKind == JsonValueKind.String)
            return new AddedToken(json.GetString()!) { Special = isSpecial, Normalized = !isSpecial };
        if (json.ValueKind != JsonValueKind.Object)
            throw new GradpathException($"{where}: is {JsonFile.Shown(json)}; a token's text, or an object with content, is needed");

        var special = json.Flag("special", where) ?? isSpecial;
        return new AddedToken(json.Text("content", where) ?? throw new GradpathException($"{where}: has no content, the token's text"))
        {
            SingleWord = json.Flag("single_word", where) ?? false,
            StripsLeft = json.Flag("lstrip", where) ?? false,
            StripsRight = json.Flag("rstrip", where) ?? false,
            Normalized = json.Flag("normalized", where) ?? !special,
            Special = special,
        };
    }

    // {"50257": {"content": "<pad>", "lstrip": false, ...}, ...}
    private static List<AddedToken> ReadDecoder(JsonElement json, string path, int tokens)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new GradpathException($"{path}: added_tokens_decoder is {JsonFile.Shown(json)}; an object from id to token is needed");
        var added = new List<AddedToken>();
        foreach (var entry in json.EnumerateObject())
        {
            var key = entry.Name;
            var where = $"{path}: added_tokens_decoder, id {Quoted.Text(key)}";
            if (!int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                throw new GradpathException($"{where}: is no id; an integer from 0 is needed");
            var token = ReadToken(entry.Value, isSpecial: false, where);
            added.Add(token with { Id = Vocabulary.CheckId(id, token.Content, tokens, path) });
        }

        return added;
    }

    private static AddedToken[] ReadList(JsonElement root, string name, string path)
    {
        if (root.Property(name) is not { } list)
            return [];
        var where = $"{path}: {name}";

        // One version of the library wrote the list as an object from name to token.
        IEnumerable<JsonElement> values = list.ValueKind switch
        {
            JsonValueKind.Array => list.EnumerateArray(),
            JsonValueKind.Object => list.EnumerateObject().Select(entry => entry.Value),
            _ => throw new GradpathException($"{where} is {JsonFile.Shown(list)}; a list of tokens is needed"),
        };
        return [.. values.Select((value, index) => ReadToken(value, isSpecial: true, $"{where}, entry {index}"))];
    }
}
