using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tasks.Generators;

namespace Gradpath.Gpt2Runtime.Tests.Tasks;

public sealed class PromptLoaderTests
{
    private const string Good = """{"clean": "The boy", "corrupted": "The boys", "answers": [" is"], "wrong_answers": ["are"]}""";

    [Fact]
    public void Task_without_data_is_generated_from_the_seed()
    {
        var set = PromptLoader.Load(
            "ioi", null, Tokenizers.Demo, new PromptOptions { Vocabulary = Tokenizers.Demo.VocabularySize, Positions = 64 });
        Assert.Equal(PromptOptions.DefaultCount, set.Pairs.Count);
        Assert.Equal("ioi", set.Task);
        Assert.Equal(BuiltInMetrics.LogitDifference, set.Metric);
        Assert.Equal("generated: ioi, count 100, seed 0", set.Source);
        var expected = PromptGenerator.Generate("ioi", Tokenizers.Demo, 100, 0);
        Assert.Equal(expected.Select(pair => pair.Id), set.Pairs.Select(pair => pair.Id));
        Assert.All(set.Pairs.Zip(expected), pair => Assert.Equal([Tokenizers.Demo.BeginToken!.Id, .. pair.Second.Clean], pair.First.Clean));

        Assert.Equal(set.Hash, PromptLoader.Load("ioi", null, Tokenizers.Demo, new PromptOptions { PrependBos = false }).Hash);
        Assert.NotEqual(set.Hash, PromptLoader.Load("ioi", null, Tokenizers.Demo, new PromptOptions { Seed = 1 }).Hash);
        Assert.Equal(7, PromptLoader.Load("ioi", null, Tokenizers.Demo, new PromptOptions { Limit = 7 }).Pairs.Count);
    }

    [Fact]
    public void Texts_get_a_begin_token_and_answers_an_optional_space()
    {
        var set = LoadText("\uFEFF" + Good + "\r\n\n" + """{"id": 7, "label": "x", "clean": "", "corrupted": "", "answers": [" is"], "wrong_answers": [" are"]}""");
        Assert.Equal("prompts", set.Task);
        Assert.Equal(BuiltInMetrics.LogitDifference, set.Metric);
        Assert.Equal([Id("<|endoftext|>"), .. Tokenizers.Demo.Encode("The boy")], set.Pairs[0].Clean);
        Assert.Equal([Id(" is")], set.Pairs[0].Answers);
        Assert.Equal([Id(" are")], set.Pairs[0].WrongAnswers);
        Assert.Equal(("7", "x"), (set.Pairs[1].Id, set.Pairs[1].Label));
        Assert.Single(set.Pairs[1].Clean);
        Assert.Equal(Tokenizers.Demo.Encode("The boy"), LoadText(Good, new PromptOptions { PrependBos = false }).Pairs[0].Clean);
    }

    [Fact]
    public void Ids_are_taken_as_they_are_and_need_no_vocabulary()
    {
        using var directory = new TempFolder();
        var path = directory.Write("mine.jsonl", """{"clean_ids": [1, 2], "corrupted_ids": [1, 3], "answer_ids": [4], "wrong_answer_ids": [5, 6]}""");
        var set = PromptLoader.Load(null, path, null, new PromptOptions { Vocabulary = 7, Positions = 2 });
        Assert.Equal("mine", set.Task);
        Assert.Equal([1, 2], set.Pairs[0].Clean);
        Assert.Equal([5, 6], set.Pairs[0].WrongAnswers);
        Assert.Equal(path, set.Source);
        Assert.Equal(BuiltInMetrics.ProbabilityDifference, PromptLoader.Load("sva", path, null, new PromptOptions()).Metric);
        Assert.Equal(BuiltInMetrics.KlDivergence,
            PromptLoader.Load("sva", path, null, new PromptOptions { Metric = BuiltInMetrics.KlDivergence }).Metric);
    }

    [Theory]
    [InlineData("", "holds no prompts")]
    [InlineData("\n \r\n", "holds no prompts")]
    [InlineData(Good + "\n{\"clean\": ", "line 2: not valid JSON")]
    [InlineData("[]", "line 1: a JSON object is needed")]
    [InlineData("{\"corrupted\": \"a\"}", "the field clean is missing")]
    [InlineData("{\"clean\": \"a\"}", "the field corrupted is missing")]
    [InlineData("{\"clean\": 1, \"corrupted\": \"a\"}", "clean must be a string")]
    [InlineData("{\"clean\": \"\\ud800\", \"corrupted\": \"a\"}", "not valid Unicode")]
    [InlineData("{\"clean\": \"The boy\", \"corrupted\": \"The\", \"answers\": [\" is\"], \"wrong_answers\": [\" are\"]}",
        "\"The boy\" has 2 and \"The\" has 1")]
    [InlineData("{\"clean\": \"The boy\", \"corrupted\": \"The boys\", \"answers\": [\"is it\"]}", "\"is it\" in answers is not one token")]
    [InlineData("{\"clean\": \"The boy\", \"corrupted\": \"The boys\", \"answers\": {}}", "answers must be an array of strings")]
    [InlineData("{\"clean\": \"The boy\", \"corrupted\": \"The boys\", \"answers\": [1]}", "answers must be an array of strings")]
    [InlineData("{\"clean\": \"The boy\", \"corrupted\": \"The boys\", \"wrong_answers\": [\" are\"]}", "there is no answer")]
    [InlineData("{\"clean\": \"The boy\", \"corrupted\": \"The boys\", \"answers\": [\" is\"]}", "there is no wrong answer")]
    [InlineData("{\"clean_ids\": [1], \"answer_ids\": [1], \"wrong_answer_ids\": [2]}", "the field corrupted_ids is missing")]
    [InlineData("{\"clean_ids\": [1.5], \"corrupted_ids\": [1]}", "clean_ids must hold integers, not 1.5")]
    [InlineData("{\"clean_ids\": [1, 2], \"corrupted_ids\": [1], \"answer_ids\": [1], \"wrong_answer_ids\": [2]}",
        "[1, 2] has 2 and [1] has 1")]
    [InlineData("{\"clean_ids\": [], \"corrupted_ids\": [], \"answer_ids\": [1], \"wrong_answer_ids\": [2]}", "the prompt is empty")]
    [InlineData("{\"clean_ids\": [9999], \"corrupted_ids\": [1], \"answer_ids\": [1], \"wrong_answer_ids\": [2]}",
        "9999 in clean is outside")]
    [InlineData("{\"clean_ids\": [1], \"corrupted_ids\": [-1], \"answer_ids\": [1], \"wrong_answer_ids\": [2]}",
        "-1 in corrupted is outside")]
    [InlineData("{\"clean_ids\": [1], \"corrupted_ids\": [1], \"answer_ids\": [1], \"wrong_answer_ids\": [9999]}",
        "9999 in the wrong answers")]
    [InlineData("{\"clean_ids\": [1,1,1,1,1,1,1,1,1], \"corrupted_ids\": [1,1,1,1,1,1,1,1,1], \"answer_ids\": [1], \"wrong_answer_ids\": "
        + "[2]}", "9 tokens; the model has 8")]
    public void Malformed_prompts_are_named(string content, string expected)
    {
        var error = Assert.Throws<GradpathException>(
            () => LoadText(content, new PromptOptions { Vocabulary = Tokenizers.Demo.VocabularySize, Positions = 8 }));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains("prompts.jsonl", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unusable_requests_are_explained()
    {
        using var directory = new TempFolder();
        var csv = directory.Write("some.csv", "clean\n");
        var other = directory.Write("some.txt", "");
        var jsonl = directory.Write("some.jsonl", Good);
        Assert.Contains("name a task", Message(null, null), StringComparison.Ordinal);
        Assert.Contains("Task ioj", Assert.Throws<OptionException>(() => PromptLoader.Load("ioj", null, Tokenizers.Demo, new())).Message,
            StringComparison.Ordinal);
        Assert.Contains("which task", Message(null, csv), StringComparison.Ordinal);
        Assert.Contains(".csv, .jsonl and .json", Message(null, other), StringComparison.Ordinal);
        Assert.Contains("some.csvx: no such file or directory", Message(null, csv + "x"), StringComparison.Ordinal);
        Assert.Contains("gpt2.csv", Message("ioi", directory.Path), StringComparison.Ordinal);
        Assert.Contains("Limit 0", Message("ioi", null, new PromptOptions { Limit = 0 }), StringComparison.Ordinal);
        Assert.Contains("no vocabulary", Assert.Throws<GradpathException>(() => PromptLoader.Load(null, jsonl, null, new())).Message,
            StringComparison.Ordinal);
        Assert.Contains("vocabulary", Assert.Throws<GradpathException>(() => PromptLoader.Load("ioi", null, null, new())).Message,
            StringComparison.Ordinal);
        Assert.Contains("vocabulary", Assert.Throws<GradpathException>(() => PromptLoader.Load("ioi", csv, null, new())).Message,
            StringComparison.Ordinal);

        static string Message(string? task, string? path, PromptOptions? options = null) =>
            Assert.Throws<GradpathException>(() => PromptLoader.Load(task, path, Tokenizers.Demo, options ?? new PromptOptions())).Message;
    }

    /// <summary>Every metric against rows that lack answers, of texts, of ids and of a CSV file.</summary>
    [Fact]
    public void Answers_may_be_left_out_where_the_metric_needs_none()
    {
        using var directory = new TempFolder();
        var texts = """{"clean": "The boy", "corrupted": "The boys"ANSWERS}""";
        var ids = """{"clean_ids": [1, 2], "corrupted_ids": [1, 3]ANSWERS}""";
        foreach (var metric in BuiltInMetrics.All)
        {
            Check("prompts.jsonl", texts.Replace("ANSWERS", "", StringComparison.Ordinal), null, Lack(metric.NeedsAnswers, "no answer"));
            Check("prompts.jsonl", ids.Replace("ANSWERS", "", StringComparison.Ordinal), null, Lack(metric.NeedsAnswers, "no answer"));
            Check(
                "prompts.jsonl", texts.Replace("ANSWERS", ", \"answers\": [\" is\"]", StringComparison.Ordinal), null,
                Lack(metric.NeedsWrongAnswers, "no wrong answer"));
            Check(
                "prompts.jsonl", ids.Replace("ANSWERS", ", \"answer_ids\": [4]", StringComparison.Ordinal), null,
                Lack(metric.NeedsWrongAnswers, "no wrong answer"));
            var missing = metric.NeedsAnswers ? "the column correct_idx is missing" : null;
            Check("ioi.csv", "clean,corrupted\nThe boy,The boys\n", "ioi", missing);
            Check(
                "ioi.csv", "clean,corrupted,correct_idx,incorrect_idx\nThe boy,The boys,,\n", "ioi",
                Lack(metric.NeedsAnswers, "no answer"));
            Check(
                "ioi.csv", "clean,corrupted,correct_idx,incorrect_idx\nThe boy,The boys,5,\n", "ioi",
                "incorrect_idx is \"\"; an integer from 0 is needed");

            void Check(string name, string content, string? task, string? refused)
            {
                var path = directory.Write(name, content);
                var options = new PromptOptions { Metric = metric };
                if (refused is null)
                {
                    Assert.Empty(PromptLoader.Load(task, path, Tokenizers.Demo, options).Pairs[0].WrongAnswers);
                    return;
                }
                var message = Assert.Throws<GradpathException>(() => PromptLoader.Load(task, path, Tokenizers.Demo, options)).Message;
                Assert.Contains(name, message, StringComparison.Ordinal);
                Assert.Contains(refused, message, StringComparison.Ordinal);
            }

            string? Lack(bool needs, string what) => needs ? $": there is {what}; the metric {metric} needs at least one" : null;
        }
    }

    [Theory]
    [InlineData("demo", "ioi")]
    [InlineData("demo", "greater-than")]
    [InlineData("demo", "hypernymy")]
    [InlineData("gpt2", "sva")]
    [InlineData("gpt2", "greater-than")]
    public void Written_prompts_come_back(string vocabulary, string task)
    {
        using var directory = new TempFolder();
        var tokenizer = Tokenizers.Named(vocabulary);
        var set = PromptLoader.Load(task, null, tokenizer, new PromptOptions { Limit = 20 });
        foreach (var texts in new[] { true, false })
        {
            var path = Path.Combine(directory.Path, "out.jsonl");
            PromptWriter.Write(path, set.Pairs, texts ? tokenizer : null);
            Assert.Equal(texts, File.ReadAllText(path).Contains("\"clean\":", StringComparison.Ordinal));
            var again = PromptLoader.Load(task, path, tokenizer, new PromptOptions());
            foreach (var (one, two) in set.Pairs.Zip(again.Pairs))
            {
                Assert.Equal(one.Clean, two.Clean);
                Assert.Equal(one.Corrupted, two.Corrupted);
                Assert.Equal(one.Answers, two.Answers);
                Assert.Equal(one.WrongAnswers, two.WrongAnswers);
                Assert.Equal((one.Id, one.Label), (two.Id, two.Label));
            }
        }

        Assert.Equal(["out.jsonl"], Directory.GetFiles(directory.Path).Select(Path.GetFileName));
        Assert.Contains("cannot write", Assert.Throws<GradpathException>(() =>
            PromptWriter.Write(Path.Combine(directory.Path, "no/out.jsonl"), set.Pairs, tokenizer)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Reading_stops_before_the_next_prompt()
    {
        using TempFolder directory = new();
        string path = directory.Write("prompts.jsonl", Good + "\n{");
        CancellationToken stopped = new(canceled: true);
        foreach (PromptOptions options in new[] { new PromptOptions(), new PromptOptions { Metric = BuiltInMetrics.LogitDifference } })
        {
            Assert.Throws<OperationCanceledException>(() => PromptLoader.Load(null, path, Tokenizers.Demo, options, stopped));
            Assert.Throws<GradpathException>(() => PromptLoader.Load(null, path, Tokenizers.Demo, options));
        }
    }

    private static PromptSet LoadText(string content, PromptOptions? options = null)
    {
        using var directory = new TempFolder();
        return PromptLoader.Load(null, directory.Write("prompts.jsonl", content), Tokenizers.Demo, options ?? new PromptOptions());
    }

    private static int Id(string text) => Tokenizers.Demo.TokenId(text)!.Value;
}
