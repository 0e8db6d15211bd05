using System.Text.Json;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Host.Tests;

/// <summary>The same prompt, however its begin token and its vocabulary are written, gives the same numbers.</summary>
public sealed class TokenizerTests : IDisposable
{
    private const string Plain = """
        {"clean": "When Mary and John went to the store, John gave a drink to", "answers": [" Mary"], "wrong_answers": [" John"],
        """ + """
         "corrupted": "When Mary and John went to the store, Paul gave a drink to"}
        """;

    private static readonly string Demo = ModelLocator.Resolve("demo");

    private readonly TempFolder _folder = new();

    [Fact]
    public void The_begin_token_in_the_text_is_the_one_in_front_of_it()
    {
        string plain = Write("plain.jsonl", Plain), begun = Write("begun.jsonl", Beginning("<|endoftext|>"));
        string expected = Means(Score("demo", plain).Succeeds("begin token: \"<|endoftext|>\" (2542)"));
        Assert.Equal(expected, Means(Score("demo", begun, "--no-bos").Succeeds("begin token: none was put in front of the prompts")));
        Assert.NotEqual(expected, Means(Score("demo", plain, "--no-bos").Succeeds()));

        Cli twice = Score("demo", begun);
        Assert.Equal(expected, Means(twice));
        Assert.Equal(0, twice.ExitCode);
        Assert.StartsWith("warning: ", twice.Error, StringComparison.Ordinal);
        const string Warning = "begun.jsonl, line 1: the text begins with the begin token \"<|endoftext|>\" (2542) already";
        Assert.Contains(Warning, twice.Error, StringComparison.Ordinal);
        Assert.Single(twice.Error.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public void The_checkpoint_names_its_begin_token()
    {
        string model = Model("named");
        File.WriteAllText(Path.Combine(model, "tokenizer_config.json"), """{"bos_token": "!", "tokenizer_class": "GPT2Tokenizer"}""");
        int begin = Vocabulary()["!"];
        string text = Write("text.jsonl", Plain), ids = Write("ids.jsonl", AsIds(begin)), scores = _folder["scores.json"];
        Cli run = Score(model, text, "--out", scores);
        Assert.Contains($"begin token: \"!\" ({begin})", run.Out, StringComparison.Ordinal);
        Assert.Contains("bos_token_id is 2542 (\"<|endoftext|>\"), but the begin token is \"!\"", run.Error, StringComparison.Ordinal);
        Assert.Equal(new BeginToken(begin, "!"), ScoreFile.Read(scores).Provenance!.BeginToken);

        Cli asIds = Score(model, ids, "--out", scores).Succeeds();
        Assert.Equal(Means(asIds), Means(run));
        Assert.Null(ScoreFile.Read(scores).Provenance!.BeginToken);
        Assert.Equal(Means(asIds), Means(Score(model, Write("written.jsonl", Beginning("!")), "--no-bos")));
        Assert.NotEqual(Means(asIds), Means(Score("demo", text)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Tokenizer_json_alone_is_a_vocabulary(bool pairs)
    {
        string model = Model("one-file");
        WriteTokenizerJson(model, pairs);
        foreach (string name in new[] { "vocab.json", "merges.txt" }) File.Delete(Path.Combine(model, name));
        string plain = Write("plain.jsonl", Plain);
        Assert.Equal(Means(Score("demo", plain)), Means(Score(model, plain).Succeeds()));
        Cli.Run("score", "--model", model, "--task", "ioi", "--limit", "4", "--top", "0", "--device", "cpu").Succeeds("4 prompt pairs");
        Cli.Run("info", "--model", model, "--device", "cpu")
            .Succeeds("2,543 tokens; their text is in tokenizer.json", "begin token", "\"<|endoftext|>\" (2542), GPT-2's own");

        // Neither config.json nor weights are needed for the vocabulary alone.
        foreach (string name in new[] { "config.json", "model.safetensors" }) File.Delete(Path.Combine(model, name));
        Cli.Run("prompts", "--model", model, "--task", "ioi", "--count", "3", "--out", _folder["prompts.jsonl"]).Succeeds("3 prompt pairs");
        Assert.Equal("[2542]\n", Cli.RunWith("\"<|endoftext|>\"\n", default, "tokenize", "--model", model).Succeeds().Out);
    }

    [Fact]
    public void Files_that_disagree_are_worth_a_warning_to_every_command()
    {
        string model = Model("disagreeing");
        WriteTokenizerJson(model, pairs: false);
        File.AppendAllText(Path.Combine(model, "merges.txt"), "t h\n");
        foreach (Cli run in new[]
        {
            Cli.RunWith("\"a\"\n", default, "tokenize", "--model", model),
            Cli.Run("info", "--model", model, "--device", "cpu"),
            Cli.Run("prompts", "--model", model, "--task", "ioi", "--count", "3", "--out", _folder["prompts.jsonl"]),
            Score(model, Write("plain.jsonl", Plain)),
        })
        {
            Assert.Equal(0, run.ExitCode);
            Assert.Single(run.Error.TrimEnd('\n').Split('\n'));
            Assert.StartsWith("warning: ", run.Error, StringComparison.Ordinal);
            Assert.EndsWith("tokenizer.json is taken, as Hugging Face's tokenizer does\n", run.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_vocabulary_of_another_size_than_the_embedding_is_said()
    {
        using TinyModel tiny = new();
        string text = tiny.Path("text.jsonl");
        File.WriteAllText(text, """{"clean": "ab", "corrupted": "ac", "answers": ["d"], "wrong_answers": ["e"]}""");
        void Vocabulary(int count)
        {
            Dictionary<string, int> letters = Enumerable.Range(0, count).ToDictionary(i => ((char)('a' + i)).ToString());
            File.WriteAllText(Path.Combine(tiny.ModelDirectory, "vocab.json"), JsonSerializer.Serialize(letters));
        }

        File.WriteAllText(Path.Combine(tiny.ModelDirectory, "merges.txt"), "#version: 0.2\n");

        Vocabulary(10);
        const string Padded = "the tokenizer has 10 ids, the model's embedding 20 rows: ids from 10 on have no text (padding)";
        Cli.Run("info", "--model", tiny.ModelDirectory, "--device", "cpu").Succeeds(Padded, "begin token", "none");
        Cli score = Score(tiny.ModelDirectory, text, "--no-bos");
        Assert.Equal((0, $"note: {Padded}\n"), (score.ExitCode, score.Error));
        Score(tiny.ModelDirectory, tiny.Pairs).Succeeds();

        Vocabulary(26);
        const string TooLarge = "the tokenizer has 26 ids, the model's embedding 20 rows: tokens with ids from 20 on cannot be used";
        Assert.Equal($"note: {TooLarge}\n", Score(tiny.ModelDirectory, text, "--no-bos").Error);
        File.WriteAllText(text, """{"clean": "az", "corrupted": "ac", "answers": ["d"], "wrong_answers": ["e"]}""");
        Score(tiny.ModelDirectory, text, "--no-bos")
            .Fails(1, "text.jsonl, line 1: token id 25 in clean is outside the model's vocabulary (0 to 19)");
        Score(tiny.ModelDirectory, text).Fails(1, "the model's vocabulary has none");
    }

    [Fact]
    public void A_vocabulary_that_cannot_be_read_matters_only_to_texts()
    {
        using TinyModel tiny = new();
        File.WriteAllText(
            Path.Combine(tiny.ModelDirectory, "tokenizer.json"),
            """{"pre_tokenizer": {"type": "BertPreTokenizer"}, "model": {"type": "WordPiece"}}""");
        Score(tiny.ModelDirectory, tiny.Pairs).Succeeds();
        Cli.Run("info", "--model", tiny.ModelDirectory, "--device", "cpu").Succeeds("prompts must be token ids", "BertPreTokenizer");
        Score(tiny.ModelDirectory, Write("plain.jsonl", Plain)).Fails(1, "tokenizer.json: pre_tokenizer is of type BertPreTokenizer");
    }

    public void Dispose() => _folder.Dispose();

    private static Cli Score(string model, string data, params string[] options) => Cli.Run(
        ["score", "--model", model, "--data", data, "--method", "eap", "--top", "0", "--device", "cpu", "--threads", "1", .. options]);

    private static string Means(Cli run) =>
        run.Out.Split('\n').Single(line => line.StartsWith("mean logit-diff", StringComparison.Ordinal));

    // The plain prompt with a token written in front of its texts.
    private static string Beginning(string token) => Plain.Replace("When", $"{token}When", StringComparison.Ordinal);

    private static Dictionary<string, int> Vocabulary() =>
        JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllBytes(Path.Combine(Demo, "vocab.json")))!;

    private string Write(string name, string content)
    {
        File.WriteAllText(_folder[name], content + "\n");
        return _folder[name];
    }

    private string Model(string name)
    {
        string model = Directory.CreateDirectory(_folder[name]).FullName;
        foreach (string file in new[] { "config.json", "model.safetensors", "vocab.json", "merges.txt" })
            File.Copy(Path.Combine(Demo, file), Path.Combine(model, file));
        return model;
    }

    // The plain prompt as ids, with a begin token.
    private static string AsIds(int begin)
    {
        BpeTokenizer tokenizer = BpeTokenizer.Load(Demo);
        JsonNode plain = JsonNode.Parse(Plain)!;
        int[] Ids(string field) => tokenizer.Encode((string)plain[field]!);
        return JsonSerializer.Serialize(new
        {
            clean_ids = Ids("clean").Prepend(begin),
            corrupted_ids = Ids("corrupted").Prepend(begin),
            answer_ids = new[] { tokenizer.TokenId(" Mary") },
            wrong_answer_ids = new[] { tokenizer.TokenId(" John") },
        });
    }

    private static void WriteTokenizerJson(string model, bool pairs)
    {
        string[] merges = [.. File.ReadLines(Path.Combine(Demo, "merges.txt")).Skip(1).Where(line => line.Length > 0)];
        File.WriteAllText(Path.Combine(model, "tokenizer.json"), JsonSerializer.Serialize(new
        {
            version = "1.0",
            added_tokens = new[] { new { id = 2542, content = "<|endoftext|>", normalized = false, special = true } },
            normalizer = (string?)null,
            pre_tokenizer = new { type = "ByteLevel", add_prefix_space = false, trim_offsets = true },
            decoder = new { type = "ByteLevel" },
            model = new { type = "BPE", vocab = Vocabulary(), merges = pairs ? (object)merges.Select(merge => merge.Split(' ')) : merges },
        }));
    }
}
