using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tests.Tokenization;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tests.Tasks;

public sealed class PromptBeginTests
{
    private const string Plain = """{"clean": "The boy", "corrupted": "The boys", "answers": [" is"], "wrong_answers": ["are"]}""";

    private static readonly string Begun = Plain.Replace("The boy", "<|endoftext|>The boy", StringComparison.Ordinal);

    [Fact]
    public void A_text_that_begins_with_the_token_gets_no_second_one_and_a_word_is_said()
    {
        var plain = Load(Plain);
        var begun = Load(Begun + "\n" + Plain);
        Assert.All(begun.Pairs, pair => Assert.Equal(plain.Pairs[0].Clean, pair.Clean));
        Assert.All(begun.Pairs, pair => Assert.Equal(plain.Pairs[0].Corrupted, pair.Corrupted));
        Assert.Equal(Tokenizers.Demo.BeginToken, begun.BeginToken);
        var warning = Assert.Single(begun.Warnings);
        Assert.Contains("line 1: the text begins with the begin token \"<|endoftext|>\" (2542) already", warning, StringComparison.Ordinal);
        Assert.Contains("(2 texts begin so)", warning, StringComparison.Ordinal);

        Assert.Equal(Tokenizers.Demo.BeginToken, plain.BeginToken);
        Assert.Empty(plain.Warnings);
    }

    [Fact]
    public void The_token_written_in_the_text_is_the_token_put_in_front()
    {
        var written = Load(Begun, new PromptOptions { PrependBos = false });
        Assert.Equal(Load(Plain).Pairs[0].Clean, written.Pairs[0].Clean);
        Assert.Null(written.BeginToken);
        Assert.Empty(written.Warnings);
    }

    [Fact]
    public void A_pair_of_which_one_text_begins_with_the_token_has_equal_lengths()
    {
        var one = Load("""{"clean": "<|endoftext|>The boy", "corrupted": "The boys", "answers": [" is"], "wrong_answers": [" are"]}""");
        Assert.Equal(Load(Plain).Pairs[0].Clean, one.Pairs[0].Clean);
        Assert.Equal(Load(Plain).Pairs[0].Corrupted, one.Pairs[0].Corrupted);
        Assert.DoesNotContain("texts of", Assert.Single(one.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void The_begin_token_is_the_checkpoints_own()
    {
        using var directory = DemoWith(
            ("added_tokens.json", """{"<|startoftext|>": 2543}"""),
            ("tokenizer_config.json", """{"bos_token": "<|startoftext|>"}"""));
        var tokenizer = BpeTokenizer.Load(directory.Path);
        var prompts = PromptLoader.Load(null, directory.Write("prompts.jsonl", Plain), tokenizer, new PromptOptions { Vocabulary = 2544 });
        Assert.Equal([2543, .. Tokenizers.Demo.Encode("The boy")], prompts.Pairs[0].Clean);
        Assert.Equal(new BeginToken(2543, "<|startoftext|>"), prompts.BeginToken);

        var written = directory.Write("written.jsonl", Plain.Replace("The boy", "<|startoftext|>The boy", StringComparison.Ordinal));
        var withoutAnother = new PromptOptions { PrependBos = false };
        Assert.Equal(prompts.Pairs[0].Clean, PromptLoader.Load(null, written, tokenizer, withoutAnother).Pairs[0].Clean);

        var small = new PromptOptions { Vocabulary = 2543 };
        var tooSmall = Assert.Throws<GradpathException>(() => PromptLoader.Load(null, written, tokenizer, small));
        const string Outside = "the begin token \"<|startoftext|>\" (2543), named by tokenizer_config.json, is outside the model's";
        Assert.Contains(Outside, tooSmall.Message, StringComparison.Ordinal);

        small = small with { PrependBos = false };
        tooSmall = Assert.Throws<GradpathException>(() => PromptLoader.Load(null, written, tokenizer, small));
        Assert.Contains("token id 2543 in clean is outside the model's vocabulary (0 to 2542)", tooSmall.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Contradictions_between_the_files_are_handed_on()
    {
        using var directory = DemoWith(("config.json", """{"bos_token_id": 7}"""));
        var prompts = PromptLoader.Load("ioi", null, BpeTokenizer.Load(directory.Path), new PromptOptions { Limit = 2 });
        Assert.Contains("bos_token_id is 7", Assert.Single(prompts.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Named_positions_count_from_the_begin_token()
    {
        var with = PromptLoader.Load("ioi", null, Tokenizers.Demo, new PromptOptions { Limit = 1 }).Pairs[0];
        var without = PromptLoader.Load("ioi", null, Tokenizers.Demo, new PromptOptions { Limit = 1, PrependBos = false }).Pairs[0];
        Assert.NotEmpty(with.KeyPositions);
        Assert.All(with.KeyPositions, position => Assert.Equal(without.KeyPositions[position.Key] + 1, position.Value));
    }

    [Fact]
    public void A_vocabulary_without_begin_token_says_so()
    {
        using var directory = new TempFolder();
        var bytes = TokenizerFolder.Write(directory, TokenizerFolder.Bytes(), []);
        var path = directory.Write("prompts.jsonl", """{"clean": "a", "corrupted": "b", "answers": ["c"], "wrong_answers": ["d"]}""");
        var error = Assert.Throws<GradpathException>(() => PromptLoader.Load(null, path, bytes, new PromptOptions()));
        Assert.Contains("line 1: prompts are to start with a begin token, and", error.Message, StringComparison.Ordinal);
        Assert.Equal(['a'], PromptLoader.Load(null, path, bytes, new PromptOptions { PrependBos = false }).Pairs[0].Clean);
    }

    [Fact]
    public void Prompts_of_ids_need_no_readable_vocabulary_and_have_no_begin_token()
    {
        using var directory = new TempFolder();
        directory.Write("tokenizer.json", """{"model": {"type": "WordPiece"}}""");
        var tokenizer = new Lazy<BpeTokenizer>(() => BpeTokenizer.Load(directory.Path));
        const string Ids = """{"clean_ids": [1, 2], "corrupted_ids": [1, 3], "answer_ids": [4], "wrong_answer_ids": [5]}""";
        var ids = directory.Write("ids.jsonl", Ids);
        var prompts = PromptLoader.LoadLazily(null, ids, tokenizer, new PromptOptions());
        Assert.Equal([1, 2], prompts.Pairs[0].Clean);
        Assert.Null(prompts.BeginToken);
        Assert.Empty(prompts.Warnings);

        var texts = directory.Write("texts.jsonl", Plain);
        var error = Assert.Throws<GradpathException>(() => PromptLoader.LoadLazily(null, texts, tokenizer, new PromptOptions()));
        Assert.Contains("tokenizer.json", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Messages_show_no_more_than_a_line_of_a_prompt()
    {
        var text = string.Concat(Enumerable.Repeat("the boy ", 2000));
        var ids = string.Join(", ", Enumerable.Range(0, 5000));
        string[] lines =
        [
            $$"""{"clean": "{{text}}", "corrupted": "The", "answers": [" is"], "wrong_answers": [" are"]}""",
            $$"""{"clean": "The", "corrupted": "The", "answers": ["{{text}}"], "wrong_answers": [" are"]}""",
            $$"""{"clean": "{{text}}" "corrupted": "The", "answers": [" is"], "wrong_answers": [" are"]}""",
            $$"""{"clean": nul{{text}}""",
            $$"""{"clean_ids": [{{ids}}], "corrupted_ids": [1], "answer_ids": [4], "wrong_answer_ids": [5]}""",
        ];
        foreach (var line in lines)
        {
            var message = Assert.Throws<GradpathException>(() => Load(line)).Message;
            Assert.InRange(message.Length, 1, 600);
            Assert.DoesNotContain('\n', message);
        }
    }

    private static PromptSet Load(string content, PromptOptions? options = null)
    {
        using var directory = new TempFolder();
        return PromptLoader.Load(null, directory.Write("prompts.jsonl", content), Tokenizers.Demo, options ?? new PromptOptions());
    }

    private static TempFolder DemoWith(params (string Name, string Content)[] files)
    {
        var directory = new TempFolder();
        foreach (var name in new[] { "vocab.json", "merges.txt" })
            directory.Write(name, File.ReadAllText(Path.Combine(RepositoryFiles.DemoModel, name)));
        foreach (var (name, content) in files)
            directory.Write(name, content);
        return directory;
    }
}
