using System.Text.Json;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tests.Tokenization;

/// <summary>Small tokenizers on disk, written by the tests that read them.</summary>
internal static class TokenizerFolder
{
    /// <summary>Writes vocab.json and merges.txt and loads them.</summary>
    public static BpeTokenizer Write(TempFolder directory, Dictionary<string, int> ids, IEnumerable<string> merges)
    {
        directory.Write("vocab.json", JsonSerializer.Serialize(ids));
        directory.Write("merges.txt", "#version: 0.2\n" + string.Concat(merges.Select(merge => merge + "\n")));
        return BpeTokenizer.Load(directory.Path);
    }

    /// <summary>A vocabulary of the 256 bytes alone, whose ids are the bytes, so that ids can be read as text.</summary>
    public static Dictionary<string, int> Bytes() =>
        Enumerable.Range(0, 256).ToDictionary(value => ReferenceBpe.Spelling((byte)value).ToString(), value => value);

    /// <summary>A tokenizer.json of GPT-2's kind, to be changed by the test.</summary>
    /// <param name="ids">Token to id.</param>
    /// <param name="merges">Merges, "a b".</param>
    /// <param name="pairs">Whether merges are written as arrays of two.</param>
    public static JsonObject Json(Dictionary<string, int> ids, IEnumerable<string> merges, bool pairs = false) => new()
    {
        ["version"] = "1.0",
        ["added_tokens"] = new JsonArray(),
        ["normalizer"] = null,
        ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["use_regex"] = true },
        ["post_processor"] = null,
        ["decoder"] = new JsonObject { ["type"] = "ByteLevel" },
        ["model"] = new JsonObject
        {
            ["type"] = "BPE",
            ["dropout"] = null,
            ["unk_token"] = null,
            ["continuing_subword_prefix"] = "",
            ["end_of_word_suffix"] = "",
            ["fuse_unk"] = false,
            ["vocab"] = JsonSerializer.SerializeToNode(ids),
            ["merges"] = pairs
                ? JsonSerializer.SerializeToNode(merges.Select(merge => merge.Split(' ')))
                : JsonSerializer.SerializeToNode(merges),
        },
    };

    /// <summary>An entry of added_tokens: a special token that is not normalized, with the flags that are named.</summary>
    public static JsonObject Added(int id, string content, params string[] flags)
    {
        var token = new JsonObject { ["id"] = id, ["content"] = content, ["normalized"] = false, ["special"] = true };
        foreach (var flag in flags)
            token[flag] = true;
        return token;
    }

    /// <summary>Ids over <see cref="Bytes"/> as text: bytes as characters, other ids in brackets.</summary>
    public static string Show(IEnumerable<int> ids) => string.Concat(ids.Select(id => id < 256 ? ((char)id).ToString() : $"[{id}]"));
}
