using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Tests.Tasks;

/// <summary>Which tokens an answer text means, and when a user is told.</summary>
public sealed class AnswerTextTests
{
    [Fact]
    public void A_word_that_is_a_token_with_and_without_its_space_is_said()
    {
        string warning = Assert.Single(Load("The boy gave a book to", "Anna", "Paul").Warnings);
        Assert.Contains($"the answer \"Anna\" was taken as token {Id("Anna")}, without a space in front; behind a word \" Anna\", token "
            + $"{Id(" Anna")}, is usual", warning, StringComparison.Ordinal);
        Assert.EndsWith("(2 answers are so)", warning, StringComparison.Ordinal);
        Assert.Empty(Load("The boy gave a book to", " Anna", " Paul").Warnings);
    }

    [Theory]
    [InlineData("The boy he said \"")]
    [InlineData("The boy gave a book to ")]
    public void Behind_a_space_or_an_opening_mark_a_word_has_none(string prompt) =>
        Assert.Empty(Load(prompt.Replace("\"", "\\\"", StringComparison.Ordinal), "Anna", "Paul").Warnings);

    [Fact]
    public void Digits_go_on_with_a_number() => Assert.Empty(Load("The boy from the year 1743 to the year 17", "44", "12").Warnings);

    [Fact]
    public void Answers_of_two_kinds_are_said() => Assert.Contains(
        Load("The boy gave a book to", "Anna", " Paul").Warnings,
        w => w.EndsWith("of different kinds: one is a token with a space in front, the other without. A word behind a word needs the space",
            StringComparison.Ordinal) && w.Contains("the answers \" Paul\" and \"Anna\"", StringComparison.Ordinal));

    [Fact]
    public void An_answer_counts_once_and_is_not_right_and_wrong()
    {
        PromptPair pair = Load("The boy gave a book to", " Anna\", \" Anna\", \" Mark", " Paul").Pairs[0];
        Assert.Equal([Id(" Anna"), Id(" Mark")], pair.Answers);
        string message = Assert.Throws<GradpathException>(() => Load("The boy gave a book to", " Anna\", \" Paul", " Paul")).Message;
        Assert.EndsWith($"line 1: token {Id(" Paul")} is both a right and a wrong answer.", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Several_tokens_are_refused_or_read_as_the_option_says()
    {
        string message = Assert.Throws<GradpathException>(() => Load("The boy read", " Anna Mark", " Paul")).Message;
        Assert.Contains("\" Anna Mark\" in answers is not one token", message, StringComparison.Ordinal);
        const string Advice = "AnswerReading first-token judges by its first token, AnswerReading sequence by all of them.";
        Assert.EndsWith(Advice, message, StringComparison.Ordinal);

        PromptPair first = Load("The boy read", " Anna Mark", " Paul", AnswerReading.FirstToken).Pairs[0];
        Assert.Equal([Id(" Anna")], first.Answers);
        Assert.Null(first.Sequences);
        PromptSet sequences = Load("The boy read", " Anna Mark", " Anna Paul", AnswerReading.Sequence);
        Assert.Same(BuiltInMetrics.LogProbability, sequences.Metric);
        Assert.Equal([Id(" Anna"), Id(" Mark")], sequences.Pairs[0].Sequences!.Right[0].ToArray());
        Assert.Equal([Id(" Anna"), Id(" Paul")], sequences.Pairs[0].Sequences!.Wrong[0].ToArray());
        Assert.Contains("is both right and wrong",
            Assert.Throws<GradpathException>(() => Load("The boy read", " Anna Mark", " Anna Mark", AnswerReading.Sequence)).Message,
            StringComparison.Ordinal);
        Assert.Contains("is both a right and a wrong answer",
            Assert.Throws<GradpathException>(() => Load("The boy read", " Anna Mark", " Anna Paul", AnswerReading.FirstToken)).Message,
            StringComparison.Ordinal);
    }

    private static PromptSet Load(string prompt, string right, string wrong, AnswerReading reading = AnswerReading.OneToken) =>
        PromptFieldTests.Load(
            $$"""{"clean": "{{prompt}}", "corrupted": "{{prompt.Replace("The", "A", StringComparison.Ordinal)}}", "answers": ["{{right}}"], "wrong_answers": ["{{wrong}}"]}""",
            options: new PromptOptions { AnswerReading = reading });

    private static int Id(string text) => Tokenizers.Demo.SingleToken(text)!.Value;
}
