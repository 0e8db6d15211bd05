using System.Runtime.InteropServices;
using System.Text.Json;

namespace Gradpath.Gpt2Runtime.Tokenization;

/// <summary>
/// What tokenizer.json states, the one file of Hugging Face's tokenizers. It can describe tokenizers of many kinds; byte-level BPE
/// without a normalizer is read, and anything that would make other tokens is refused by name.
/// </summary>
/// <param name="Vocabulary">Tokens and merges.</param>
/// <param name="AddedTokens">The added tokens with their ids.</param>
/// <param name="AddPrefixSpace">Whether text that does not begin with a space gets one.</param>
internal sealed record TokenizerJson(Vocabulary Vocabulary, IReadOnlyList<AddedToken> AddedTokens, bool AddPrefixSpace)
{
    /// <exception cref="GradpathException">The file is no tokenizer of this kind; names the file and what was found.</exception>
    public static TokenizerJson Read(string path) => JsonFile.Read(path, root =>
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw new GradpathException($"{path}: a JSON object is needed, not {JsonFile.Shown(root)}");
        RequireNoNormalizer(root, path);
        var prefixSpace = ReadPreTokenizer(root, path);
        var vocabulary = ReadModel(root, path);
        var added = new List<AddedToken>();
        if (root.Property("added_tokens") is { } tokens)
        {
            if (tokens.ValueKind != JsonValueKind.Array)
                throw new GradpathException($"{path}: added_tokens is {JsonFile.Shown(tokens)}; an array is needed");
            foreach (var token in tokens.EnumerateArray())
                added.Add(ReadAddedToken(token, vocabulary, $"{path}, added token {added.Count}"));
        }

        return new TokenizerJson(vocabulary, added, prefixSpace);
    });

    private static AddedToken ReadAddedToken(JsonElement json, Vocabulary vocabulary, string where)
    {
        var token = TokenizerConfig.ReadToken(json, isSpecial: false, where);
        var id = json.Property("id") ?? throw new GradpathException($"{where}: has no id");
        return token with { Id = Vocabulary.ReadId(id, token.Content, vocabulary.Ids.Count, where) };
    }

    private static void RequireNoNormalizer(JsonElement root, string path)
    {
        if (root.Property("normalizer") is not { } normalizer)
            return;
        if (StepsOf(normalizer, "normalizers") is not { } steps || steps.GetArrayLength() > 0)
            throw new GradpathException($"{path}: has a normalizer ({TypeOf(normalizer)}); GPT-2 has none, and none is supported");
    }

    private static bool ReadPreTokenizer(JsonElement root, string path)
    {
        if (root.Property("pre_tokenizer") is not { } splitter)
            throw new GradpathException($"{path}: has no pre_tokenizer; GPT-2's tokenizer has one of type ByteLevel");
        if (StepsOf(splitter, "pretokenizers") is { } steps && steps.GetArrayLength() == 1)
            splitter = steps[0];
        var where = $"{path}: pre_tokenizer";
        if (TypeOf(splitter) != "ByteLevel")
            throw new GradpathException($"{where} is of type {TypeOf(splitter)}; only ByteLevel, GPT-2's, is supported");
        if (splitter.Flag("use_regex", where) == false)
            throw new GradpathException($"{where}: use_regex is false; only GPT-2's own way to split words is supported");
        return splitter.Flag("add_prefix_space", where) ?? false;
    }

    private static Vocabulary ReadModel(JsonElement root, string path)
    {
        if (root.Property("model") is not { ValueKind: JsonValueKind.Object } model)
            throw new GradpathException($"{path}: has no model; a byte-level BPE is needed");

        // Old files do not state the type; they are BPE where they have merges.
        var type = TypeOf(model);
        if (type != "BPE" && !(model.Property("type") is null && model.Property("merges") is not null))
            throw new GradpathException($"{path}: model is of type {type}; only BPE, GPT-2's, is supported");
        var where = $"{path}: model";
        foreach (var name in new[] { "continuing_subword_prefix", "end_of_word_suffix" })
        {
            if (model.Text(name, where) is { Length: > 0 } affix)
                throw new GradpathException($"{where}: {name} is {Quoted.Text(affix)}; byte-level BPE has none");
        }

        foreach (var name in new[] { "byte_fallback", "ignore_merges" })
        {
            if (model.Flag(name, where) == true)
                throw new GradpathException($"{where}: {name} is true; it is false in GPT-2's tokenizer, and nothing else is supported");
        }

        if (model.Property("dropout") is { } dropout && !(dropout.ValueKind == JsonValueKind.Number && dropout.GetDouble() == 0))
            throw new GradpathException($"{where}: dropout is {JsonFile.Shown(dropout)}; with any, tokens would be drawn at random");

        var tokens = model.Property("vocab") ?? throw new GradpathException($"{where}: has no vocab");
        var merges = model.Property("merges") ?? throw new GradpathException($"{where}: has no merges");
        var vocabulary = Vocabulary.Read(JsonMarshal.GetRawUtf8Value(tokens), path);
        return vocabulary.With(MergeList.ReadJson(JsonMarshal.GetRawUtf8Value(merges), path, vocabulary));
    }

    // The parts of something that is a sequence of them; null for anything else.
    private static JsonElement? StepsOf(JsonElement json, string name) =>
        TypeOf(json) == "Sequence" && json.Property(name) is { ValueKind: JsonValueKind.Array } steps ? steps : null;

    private static string TypeOf(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
            return JsonFile.Shown(json);
        if (json.Property("type") is not { } type)
            return "none stated";
        return type.ValueKind == JsonValueKind.String && type.GetString() is { Length: <= 40 } name && name.All(char.IsAsciiLetterOrDigit)
            ? name
            : JsonFile.Shown(type);
    }
}
