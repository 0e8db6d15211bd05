using System.Text;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Tests.Tasks;

/// <summary>What a row of a JSON file may say, and what becomes of it.</summary>
public sealed class PromptFieldTests
{
    private const string Good = """{"clean": "The boy", "corrupted": "The boys", "answers": [" is"], "wrong_answers": [" are"]}""";

    [Fact]
    public void An_array_is_what_its_lines_would_be()
    {
        PromptPair line = Load(Good).Pairs[0];
        PromptPair element = Load($"[{Good},\n{Good}]", ".json").Pairs[1];
        Assert.Equal(line.Clean, element.Clean);
        Assert.Equal(line.Answers, element.Answers);
        string second = Message($$"""[{{Good}}, {"clean": "a"}]""", ".json");
        Assert.Contains("element 2: the field corrupted is missing", second, StringComparison.Ordinal);
        Assert.Contains("a JSON array of objects is needed, not a JSON object", Message(Good, ".json"), StringComparison.Ordinal);
    }

    [Fact]
    public void Text_in_utf16_is_the_same_text_and_latin1_is_refused()
    {
        const string Umlaut = """{"clean": "Zoë", "corrupted": "Zoé", "answers": [" is"], "wrong_answers": [" are"]}""";
        Assert.Equal(Load(Umlaut).Pairs[0].Clean, Load(Encoding.Unicode.GetBytes("\uFEFF" + Umlaut), ".jsonl").Pairs[0].Clean);
        Assert.Contains("prompts.jsonl, line 1: not UTF-8 (byte 0xEB)",
            Assert.Throws<GradpathException>(() => Load(Encoding.Latin1.GetBytes(Umlaut), ".jsonl")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("answer", "answers")]
    [InlineData("wrong-answers", "wrong_answers")]
    [InlineData("wrong_answer", "wrong_answers")]
    [InlineData("Answers", "answers")]
    [InlineData("postions", "positions")]
    public void A_field_that_is_nearly_one_is_named(string written, string meant) => Assert.Contains(
        $"there is no field \"{written}\": did you mean {meant}?",
        Message($$"""{"clean": "The boy", "corrupted": "The boys", "{{written}}": []}"""), StringComparison.Ordinal);

    [Fact]
    public void Fields_that_nothing_reads_are_said_once()
    {
        PromptSet set = Load(string.Join('\n', Enumerable.Repeat(Good[..^1] + """, "source": "books", "weight": 2}""", 3)));
        Assert.EndsWith("line 1: nothing reads the fields \"source\", \"weight\" (3 rows have such fields)", Assert.Single(set.Warnings),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Ids_and_texts_go_together()
    {
        PromptPair texts = Load(Good).Pairs[0];
        string ids = $$"""{"clean": "The boy", "corrupted": "The boys", "answer_ids": [{{Id(" is")}}.0], "wrong_answer_ids": {{Id(" are")}}}""";
        PromptPair mixed = Load(ids).Pairs[0];
        Assert.Equal(texts.Clean, mixed.Clean);
        Assert.Equal(texts.Answers, mixed.Answers);
        Assert.Equal(texts.WrongAnswers, mixed.WrongAnswers);
        PromptPair other = Load("""{"clean_ids": [1, 2], "corrupted_ids": [1, 3], "answers": [" is"], "wrong_answers": " are"}""").Pairs[0];
        Assert.Equal([1, 2], other.Clean);
        Assert.Equal((texts.Answers[0], texts.WrongAnswers[0]), (other.Answers[0], other.WrongAnswers[0]));
        Assert.Contains("corrupted_ids stands beside clean",
            Message("""{"clean": "The boy", "corrupted_ids": [1], "answers": [" is"], "wrong_answers": [" are"]}"""), StringComparison.Ordinal);
    }

    [Fact]
    public void Ids_of_another_vocabulary_are_noticed_by_their_text()
    {
        string clean = $"[{Tokenizers.Demo.BeginToken!.Id}, {string.Join(", ", Tokenizers.Demo.Encode("The boy"))}]";
        string Row(string text) => $$"""{"clean": "{{text}}", "clean_ids": {{clean}}, "corrupted_ids": [1, 2, 3], "answer_ids": [1], "wrong_answer_ids": [2]}""";
        Assert.Empty(Load(Row("The boy")).Warnings);
        Assert.Contains("clean_ids are not the tokens of clean", Assert.Single(Load(Row("The girl")).Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Named_positions_come_from_the_file_and_count_without_the_begin_token()
    {
        string positions = Good[..^1] + """, "positions": {"subject": 1}}""";
        Assert.Equal(2, Load(positions).Pairs[0].KeyPositions["subject"]);
        Assert.Equal(1, Load(positions, options: new PromptOptions { PrependBos = false }).Pairs[0].KeyPositions["subject"]);
        string Positions(string json) => Message(Good[..^1] + $$""", "positions": {{json}}}""");
        Assert.Contains("\"subject\" is 2; the clean prompt has the tokens 0 to 1", Positions("""{"subject": 2}"""), StringComparison.Ordinal);
        Assert.Contains("positions must be an object", Positions("[1]"), StringComparison.Ordinal);
        Assert.Contains("positions must hold integers, not 1.5", Positions("""{"subject": 1.5}"""), StringComparison.Ordinal);
        Assert.Contains("\"all\" in positions cannot be a name", Positions("""{"all": 1}"""), StringComparison.Ordinal);
        Assert.Contains("it is the last token, 1", Positions("""{"END": 0}"""), StringComparison.Ordinal);
        Assert.Contains("appears twice", Positions("""{"a": 0, "A": 1}"""), StringComparison.Ordinal);
    }

    [Fact]
    public void A_field_twice_is_refused() =>
        Assert.Contains("the field \"clean\" appears twice", Message("""{"clean": "a", "clean": "b"}"""), StringComparison.Ordinal);

    [Fact]
    public void A_missing_field_is_named_with_those_that_are_there() => Assert.Contains(
        "the field clean is missing. A row has clean, corrupted, answers and wrong_answers, or clean_ids, corrupted_ids, answer_ids and "
        + "wrong_answer_ids. This one has \"prompt\", \"target\".",
        Message("""{"prompt": "a", "target": "b"}"""), StringComparison.Ordinal);

    internal static PromptSet Load(string text, string extension = ".jsonl", PromptOptions? options = null) =>
        Load(Encoding.UTF8.GetBytes(text), extension, options);

    internal static string Message(string text, string extension = ".jsonl", PromptOptions? options = null) =>
        Assert.Throws<GradpathException>(() => Load(text, extension, options)).Message;

    private static PromptSet Load(byte[] bytes, string extension, PromptOptions? options = null)
    {
        using var directory = new TempFolder();
        string path = Path.Combine(directory.Path, "prompts" + extension);
        File.WriteAllBytes(path, bytes);
        return PromptLoader.Load(null, path, Tokenizers.Demo, options ?? new PromptOptions());
    }

    private static int Id(string text) => Tokenizers.Demo.SingleToken(text)!.Value;
}
