using System.Text.Json;

namespace Gradpath.Gpt2Runtime.Tokenization;

/// <summary>
/// The added tokens of a checkpoint and its begin token, put together from the files that may state them. Where files differ, this follows
/// Hugging Face's transformers for GPT-2:
/// <list type="bullet">
/// <item>Where tokenizer_config.json lists added tokens (<c>added_tokens_decoder</c>), their flags win over those of tokenizer.json, and
/// added_tokens.json and special_tokens_map.json do not count.</item>
/// <item>Otherwise special_tokens_map.json wins over tokenizer_config.json, and tokenizer.json over added_tokens.json.</item>
/// <item>Where none of them names a begin, end or unknown token, that is <c>&lt;|endoftext|&gt;</c>, if it is a token at all.</item>
/// <item>The tokenizer never looks at <c>bos_token_id</c> of config.json. Here it counts where no begin token is found otherwise.</item>
/// <item>A special token without an id anywhere gets the next free one.</item>
/// </list>
/// Files that contradict each other about a token's id are refused; transformers would take one of the two ids.
/// </summary>
internal sealed class SpecialTokens
{
    private readonly string _directory;
    private readonly Vocabulary _vocabulary;
    private readonly Dictionary<string, AddedToken> _tokens = new(StringComparer.Ordinal);
    private readonly Dictionary<int, string> _contents = [];
    private readonly Dictionary<string, string> _paths = new(StringComparer.Ordinal);
    private readonly List<string> _warnings = [];
    private TokenizerConfig _config = new();
    private TokenizerConfig _map = new();
    private int _nextId;

    private SpecialTokens(string directory, Vocabulary vocabulary)
    {
        _directory = directory;
        _vocabulary = vocabulary;
        _nextId = vocabulary.Tokens.Length;
    }

    /// <summary>The added tokens, each with its id.</summary>
    public IReadOnlyCollection<AddedToken> Tokens => _tokens.Values;

    /// <summary>The settings of tokenizer_config.json; empty where there is none.</summary>
    public TokenizerConfig Config => _config;

    /// <summary>The begin token, or null where there is none.</summary>
    public BeginToken? Begin { get; private set; }

    /// <summary>Where the begin token comes from, for people.</summary>
    public string BeginSource { get; private set; } = "";

    /// <summary>Contradictions that a user should know of.</summary>
    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Reads the files of a directory; those that are not there state nothing.</summary>
    /// <param name="directory">The checkpoint.</param>
    /// <param name="vocabulary">Its vocabulary.</param>
    /// <param name="fromTokenizerJson">The added tokens of tokenizer.json.</param>
    /// <exception cref="GradpathException">A file is malformed, or two contradict each other about an id.</exception>
    public static SpecialTokens Read(string directory, Vocabulary vocabulary, IReadOnlyList<AddedToken> fromTokenizerJson)
    {
        var special = new SpecialTokens(directory, vocabulary);
        special.ReadFiles(fromTokenizerJson);
        special.ChooseBegin();
        return special;
    }

    private void ReadFiles(IReadOnlyList<AddedToken> fromTokenizerJson)
    {
        var count = _vocabulary.Ids.Count;
        if (Exists(TokenizerFiles.TokenizerConfig, out var configPath))
            _config = TokenizerConfig.Read(configPath, count);

        if (_config.AddedTokens is { } listed)
        {
            AddAll(fromTokenizerJson, PathOf(TokenizerFiles.Tokenizer));
            AddAll(listed, configPath);
        }
        else
        {
            if (Exists(TokenizerFiles.SpecialTokensMap, out var mapPath))
                _map = TokenizerConfig.Read(mapPath, count);
            if (Exists(TokenizerFiles.AddedTokens, out var addedPath))
            {
                var names = Named().Select(token => token.Content).ToHashSet(StringComparer.Ordinal);
                AddAll(TokenizerConfig.ReadAddedTokens(addedPath, count, names.Contains), addedPath);
            }

            AddAll(fromTokenizerJson, PathOf(TokenizerFiles.Tokenizer));
        }

        foreach (var token in Named())
            AddSpecial(token);
    }

    private void AddAll(IReadOnlyList<AddedToken> tokens, string path)
    {
        foreach (var token in tokens)
            Add(token, path);
    }

    private void Add(AddedToken token, string path)
    {
        if (token.Content.Length == 0)
            return;

        if (IdOf(token.Content) is { } known && known != token.Id)
        {
            var source = _paths.GetValueOrDefault(token.Content, _vocabulary.Source);
            throw new GradpathException($"{path}: the id of {Quoted.Text(token.Content)} is {token.Id}, but {known} in {source}");
        }

        var other = _contents.GetValueOrDefault(token.Id) ?? (token.Id < _vocabulary.Tokens.Length ? _vocabulary.Tokens[token.Id] : null);
        if (other is not null && other != token.Content)
            throw new GradpathException($"{path}: {Quoted.Text(token.Content)} has id {token.Id}, which is that of {Quoted.Text(other)}");
        _paths[token.Content] = path;
        Put(token);
    }

    // Flags that a list of added tokens has stated stay; that the token is special is what its name says.
    private void AddSpecial(AddedToken token)
    {
        if (token.Content.Length == 0)
            return;
        if (_tokens.TryGetValue(token.Content, out var known))
        {
            _tokens[token.Content] = known with { Special = true };
            return;
        }

        Put(token with { Id = IdOf(token.Content) ?? _nextId });
    }

    private void Put(AddedToken token)
    {
        _tokens[token.Content] = token;
        _contents[token.Id] = token.Content;
        _nextId = Math.Max(_nextId, token.Id + 1);
    }

    private int? IdOf(string content)
    {
        if (_tokens.TryGetValue(content, out var token))
            return token.Id;
        return _vocabulary.Ids.TryGetValue(content, out var id) ? id : null;
    }

    // All special tokens that are named or have their name by default.
    private IEnumerable<AddedToken> Named()
    {
        var tokens = TokenizerConfig.Names.Select(name => Find(name).Token).OfType<AddedToken>();
        return tokens.Concat(_config.MoreSpecial).Concat(_map.MoreSpecial);
    }

    // The token of a name, and the file that says so.
    private (AddedToken? Token, string? File) Find(string name)
    {
        if (_map.Special.TryGetValue(name, out var mapped))
            return (mapped, TokenizerFiles.SpecialTokensMap);
        if (_config.Special.TryGetValue(name, out var configured))
            return (configured, TokenizerFiles.TokenizerConfig);
        var hasDefault = name is "bos_token" or "eos_token" or "unk_token" && IdOf(BpeTokenizer.EndOfTextToken) is not null;
        return (hasDefault ? new AddedToken(BpeTokenizer.EndOfTextToken) { Special = true } : null, null);
    }

    private void ChooseBegin()
    {
        const string Name = "bos_token";
        var (token, file) = Find(Name);
        if (token is { Content.Length: > 0 } && IdOf(token.Content) is { } id)
        {
            Begin = new BeginToken(id, token.Content);
            BeginSource = file is null ? "GPT-2's own; no file names another" : $"named by {file}";
        }

        var other = file == TokenizerFiles.SpecialTokensMap ? _config.Special.GetValueOrDefault(Name) : null;
        if (other is not null && other.Content != token?.Content)
        {
            _warnings.Add(
                $"{PathOf(TokenizerFiles.TokenizerConfig)} names {Quoted.Text(other.Content)} as begin token, {file} "
                + $"{(token is null ? "none" : Quoted.Text(token.Content))}; the latter is taken, as Hugging Face's tokenizer does");
        }

        if (!Exists(TokenizerFiles.ModelConfig, out var path) || ReadBeginId(path) is not { } stated)
            return;
        var text = TextOf(stated);
        if (Begin is null && text is not null)
        {
            Begin = new BeginToken((int)stated, text);
            BeginSource = $"bos_token_id of {TokenizerFiles.ModelConfig}";
        }
        else if (Begin is not null && Begin.Id != stated)
        {
            _warnings.Add($"{path}: bos_token_id is {stated} ({(text is null ? "no token of the vocabulary" : Quoted.Text(text))}), "
                + $"but the begin token is {Begin}, {BeginSource}; the latter is taken, as Hugging Face's tokenizer does");
        }
    }

    private string? TextOf(long id)
    {
        if (id < 0 || id > int.MaxValue)
            return null;
        if (_contents.TryGetValue((int)id, out var content))
            return content;
        return id < _vocabulary.Tokens.Length && _vocabulary.Tokens[id] is { } token ? ByteAlphabet.Read(token) : null;
    }

    private static long? ReadBeginId(string path) => JsonFile.Read<long?>(path, root =>
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw new GradpathException($"{path}: a JSON object is needed, not {JsonFile.Shown(root)}");
        if (root.Property("bos_token_id") is not { } value)
            return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var id)
            ? id
            : throw new GradpathException($"{path}: bos_token_id is {JsonFile.Shown(value)}; a whole number is needed");
    });

    private bool Exists(string name, out string path)
    {
        path = PathOf(name);
        return File.Exists(path);
    }

    private string PathOf(string name) => Path.Combine(_directory, name);
}
