using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Host.Commands;

namespace Gradpath.Fuzz.Tests;

/// <summary>Files of a checkpoint's tokenizer. The others of them are sound beside the damaged one.</summary>
internal static class TokenizerReaders
{
    private static readonly string[] s_merges = ["h e", "l l", "he ll", "hell o", "w o", "r l", "wo rl"];

    private static readonly Dictionary<string, int> s_ids = Ids();

    private static readonly Dictionary<string, string> s_files = new(StringComparer.Ordinal)
    {
        ["vocab.json"] = JsonSerializer.Serialize(s_ids),
        ["merges.txt"] = "#version: 0.2\n" + string.Concat(s_merges.Select(merge => merge + "\n")),
        ["added_tokens.json"] = """{"<pad>": 264, "<sep>": 265}""",
        ["special_tokens_map.json"] =
            """{"bos_token": "<|endoftext|>", "pad_token": {"content": "<pad>", "lstrip": true}, "additional_special_tokens": ["<sep>"]}""",
        ["tokenizer_config.json"] =
            """
            {"add_prefix_space": false, "bos_token": "<|endoftext|>", "tokenizer_class": "GPT2Tokenizer", "split_special_tokens": false,
             "added_tokens_decoder": {"263": {"content": "<|endoftext|>", "special": true}, "264": {"content": "<pad>", "rstrip": true}},
             "extra_special_tokens": {"image": "<pad>"}}
            """,
        ["config.json"] = """{"model_type": "gpt2", "bos_token_id": 263, "n_layer": 2}""",
        ["tokenizer.json"] = TokenizerJson(pairs: false),
    };

    /// <summary>The readers.</summary>
    public static IReadOnlyList<FuzzReader> All { get; } =
    [
        Of("vocabulary", "vocab.json"),
        Of("merges", "merges.txt"),
        Of("tokenizer", "tokenizer.json", TokenizerJson(pairs: true)),
        Of("added-tokens", "added_tokens.json"),
        Of("tokenizer-config", "tokenizer_config.json"),
        Of("special-tokens", "special_tokens_map.json"),
        Of("begin-token", "config.json"),
        new("text-lines", "lines.jsonl", folder =>
        {
            foreach (string name in new[] { "vocab.json", "merges.txt" }) File.WriteAllText(Path.Combine(folder, name), s_files[name]);
            return new FuzzTarget(["\"hello world\"\n\"h\\u00e9\"\n"u8.ToArray()], path =>
            {
                using StreamReader input = new(path);
                TokenizeOptions options = new() { Model = folder };
                TokenizeCommand.Run(options, new Programs.Terminal(input, TextWriter.Null, TextWriter.Null), CancellationToken.None);
            });
        }),
    ];

    private static FuzzReader Of(string name, string file, params string[] more) => new(name, file, folder =>
    {
        // tokenizer.json is everything in one; the older files are read where it is not there.
        foreach ((string other, string content) in s_files)
        {
            bool isOfBoth = other is "added_tokens.json" or "tokenizer_config.json" or "special_tokens_map.json" or "config.json";
            bool isNeeded = file == "tokenizer.json" ? isOfBoth : other != "tokenizer.json";

            // A list of added tokens hides the two older files.
            if (file is "added_tokens.json" or "special_tokens_map.json" && other == "tokenizer_config.json") isNeeded = false;
            if (isNeeded) File.WriteAllText(Path.Combine(folder, other), content);
        }
        byte[][] samples = [.. more.Prepend(s_files[file]).Select(Encoding.UTF8.GetBytes)];
        return new FuzzTarget(samples, _ => BpeTokenizer.Load(folder).Encode(" hello <pad> wörld<|endoftext|>\n"));
    });

    private static Dictionary<string, int> Ids()
    {
        Dictionary<string, int> ids = [];
        for (int value = 0; value < 256; value++) ids.Add(ByteAlphabet.ToCharacter((byte)value).ToString(), value);
        foreach (string merge in s_merges) ids.Add(merge.Replace(" ", "", StringComparison.Ordinal), ids.Count);
        ids.Add("<|endoftext|>", ids.Count);
        return ids;
    }

    private static string TokenizerJson(bool pairs) => new JsonObject
    {
        ["version"] = "1.0",
        ["added_tokens"] = new JsonArray(
            new JsonObject { ["id"] = 263, ["content"] = "<|endoftext|>", ["special"] = true, ["normalized"] = false },
            new JsonObject { ["id"] = 264, ["content"] = "<pad>", ["single_word"] = true, ["lstrip"] = true }),
        ["normalizer"] = null,
        ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["use_regex"] = true },
        ["model"] = new JsonObject
        {
            ["type"] = "BPE",
            ["dropout"] = null,
            ["continuing_subword_prefix"] = "",
            ["byte_fallback"] = false,
            ["vocab"] = JsonSerializer.SerializeToNode(s_ids),
            ["merges"] = pairs
                ? JsonSerializer.SerializeToNode(s_merges.Select(merge => merge.Split(' ')))
                : JsonSerializer.SerializeToNode(s_merges),
        },
    }.ToJsonString();
}
