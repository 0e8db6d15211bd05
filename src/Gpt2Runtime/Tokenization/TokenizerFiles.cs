namespace Gradpath.Gpt2Runtime.Tokenization;

/// <summary>Names of the files of a checkpoint directory that say how text becomes tokens.</summary>
internal static class TokenizerFiles
{
    /// <summary>Everything in one: vocabulary, merges, added tokens and how text is split.</summary>
    public const string Tokenizer = "tokenizer.json";

    /// <summary>Token to id.</summary>
    public const string Vocabulary = "vocab.json";

    /// <summary>The merges, best first, one per line.</summary>
    public const string Merges = "merges.txt";

    /// <summary>Tokens beside the vocabulary, each with its id.</summary>
    public const string AddedTokens = "added_tokens.json";

    /// <summary>Settings of the tokenizer: special tokens, prefix space, added tokens with their flags.</summary>
    public const string TokenizerConfig = "tokenizer_config.json";

    /// <summary>Special tokens by name, as older programs saved them.</summary>
    public const string SpecialTokensMap = "special_tokens_map.json";

    /// <summary>The model's shape, which may name a begin token too.</summary>
    public const string ModelConfig = "config.json";

    /// <summary>All names.</summary>
    public static readonly IReadOnlyList<string> All =
        [Tokenizer, Vocabulary, Merges, AddedTokens, TokenizerConfig, SpecialTokensMap, ModelConfig];

    /// <summary>What makes a vocabulary, for messages.</summary>
    public const string Needed = "tokenizer.json, or vocab.json and merges.txt";

    /// <summary>Whether a directory holds a vocabulary, or a part of one: what is missing is said by whoever reads it.</summary>
    public static bool HasVocabulary(string directory) =>
        Has(directory, Tokenizer) || Has(directory, Vocabulary) || Has(directory, Merges);

    /// <summary>Whether a directory holds a file.</summary>
    public static bool Has(string directory, string name) => File.Exists(Path.Combine(directory, name));
}
