using System.Text;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tests.Tokenization;

/// <summary>
/// Files of a tokenizer with random damage: whatever is done to them, they load, or one line says which file is at fault. Nothing hangs,
/// and nothing takes memory out of proportion to the files.
/// </summary>
public sealed class TokenizerMutationTests
{
    // The same ones on every machine, however fast it is.
    private const int Damages = 250;

    private static readonly string[] Snippets =
    [
        "", "{", "}", "[", "]", ",", ":", "\"", "{}", "[]", "[[[[", "\"\"", "\"a\"", "\"a\": 0,", "null", "true",
        "-1", "1e9", "1e400", "0.5", "2147483647", "2147483648", "99999999999999999999", "\\ud800", "\\u0000", "\\",
        "\n", "\r", " ", "\u0000", "\u2028", "Ġ", "é", "𝒜",
        "<|endoftext|>", "content", "id", "version https://git-lfs.github.com/spec/v1\n",
        "#version", "a b", "a b\n", "ByteLevel", "BPE", "NFC",
    ];

    private static readonly Dictionary<string, string> Files = Originals();

    [Theory]
    [InlineData("vocab.json", false)]
    [InlineData("merges.txt", false)]
    [InlineData("tokenizer.json", true)]
    [InlineData("added_tokens.json", false)]
    [InlineData("tokenizer_config.json", false)]
    [InlineData("tokenizer_config.json", true)]
    [InlineData("special_tokens_map.json", false)]
    [InlineData("config.json", true)]
    public void Damage_is_survived_or_named(string damaged, bool inOneFile)
    {
        var random = new Random(damaged.Length + (inOneFile ? 100 : 0));
        using var directory = new TempFolder();
        foreach (var (name, content) in Files)
        {
            if (inOneFile ? name is not ("vocab.json" or "merges.txt") : name != "tokenizer.json")
                directory.Write(name, content);
        }

        BpeTokenizer.Load(directory.Path);
        var original = Encoding.UTF8.GetBytes(Files[damaged]);
        var path = Path.Combine(directory.Path, damaged);
        int loaded = 0, refused = 0;
        for (var damage = 0; damage < Damages; damage++)
        {
            File.WriteAllBytes(path, Mutate(original, random));
            var before = GC.GetAllocatedBytesForCurrentThread();
            Patience.Within(10, () =>
            {
                try
                {
                    Use(BpeTokenizer.Load(directory.Path));
                    loaded++;
                }
                catch (GradpathException error)
                {
                    Assert.Contains(directory.Path, error.Message, StringComparison.Ordinal);
                    Assert.True(error.Message.Length < 1000, error.Message);
                    Assert.DoesNotContain('\n', error.Message);
                    refused++;
                }
            });

            // A vocabulary may have a gap of a million ids, eight bytes each; the rest is what some kilobytes of files need.
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000_000);
        }

        Assert.True(refused > 0 && loaded > 0, $"{loaded} loaded, {refused} refused");
    }

    // The tables of the library are made on another thread, so its errors would only come out here.
    private static void Use(BpeTokenizer tokenizer)
    {
        try
        {
            var ids = tokenizer.Encode("Mary <|endoftext|>  had a <x> <pad>é🚀 " + new string('a', 1100));
            tokenizer.Decode(ids);
        }
        catch (GradpathException error) when (error.Message.StartsWith("The vocabulary has no token for byte", StringComparison.Ordinal))
        {
            // A vocabulary that lacks bytes is one all the same.
        }

        Assert.NotNull(tokenizer.Warnings);
        tokenizer.SingleToken("<x>");
    }

    private static byte[] Mutate(byte[] original, Random random)
    {
        var bytes = original.ToList();
        for (var count = 1 + random.Next(3); count > 0; count--)
        {
            var at = random.Next(bytes.Count + 1);
            var length = Math.Min(bytes.Count - at, random.Next(1, 12));
            switch (random.Next(6))
            {
                case 0:
                    bytes.RemoveRange(at, length);
                    break;
                case 1:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                case 2:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 3 when at < bytes.Count:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 4:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(Snippets[random.Next(Snippets.Length)]));
                    break;
                default:
                    bytes.RemoveRange(at, length);
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(Snippets[random.Next(Snippets.Length)]));
                    break;
            }
        }

        return [.. bytes];
    }

    private static Dictionary<string, string> Originals()
    {
        var ids = TokenizerFolder.Bytes();
        string[] merges = ["a r", "M ar", "Mar y", "Ġ h", "Ġh a", "Ġha d"];
        foreach (var merge in merges)
            ids.Add(merge.Replace(" ", "", StringComparison.Ordinal), ids.Count);
        ids.Add("<|endoftext|>", ids.Count);
        return new Dictionary<string, string>
        {
            // Few bytes besides the damage, so that most of it is felt.
            ["vocab.json"] = System.Text.Json.JsonSerializer.Serialize(ids),
            ["merges.txt"] = "#version: 0.2\n" + string.Join('\n', merges) + "\n",
            ["tokenizer.json"] = TokenizerFolder.Json(ids, merges).ToJsonString(),
            ["added_tokens.json"] = """{"<x>": 263, "<y>": 264}""",
            ["tokenizer_config.json"] = """
                {"bos_token": "<|endoftext|>", "pad_token": {"content": "<pad>", "lstrip": true}, "add_prefix_space": false,
                "additional_special_tokens": ["<z>"], "tokenizer_class": "GPT2Tokenizer"}
                """,
            ["special_tokens_map.json"] = """{"bos_token": {"content": "<|endoftext|>", "rstrip": false}, "unk_token": "<|endoftext|>"}""",
            ["config.json"] = """{"model_type": "gpt2", "bos_token_id": 262, "eos_token_id": 262}""",
        };
    }
}
