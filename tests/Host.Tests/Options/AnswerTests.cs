namespace Gradpath.Host.Tests;

/// <summary>Answers on the command line: spaces, sets, several tokens, and the pair that score shows first.</summary>
public sealed class AnswerTests : IDisposable
{
    private const string Prompt = "When Anna and Paul went to the shop, Paul gave a book to";
    private const string Other = "When Anna and Paul went to the shop, Mark gave a book to";

    private readonly TempFolder _folder = new();

    [Fact]
    public void Score_shows_the_first_pair_token_by_token_before_it_runs()
    {
        Cli run = Score(Row("\" Anna\"", "\" Paul\"") + "\n" + Row("\" Anna\"", "\" Paul\"")).Succeeds(
            "first of 2 prompt pairs, token by token:\n",
            "  clean      <|endoftext|>|When| Anna| and| Paul| went| to| the| sh|op|,| Paul| gave| a| book| to\n",
            "  answers    \" Anna\" (1953)\n", "  wrong      \" Paul\" (");
        Assert.StartsWith("first of", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_space_is_a_warning_that_names_both_tokens()
    {
        Cli run = Score(Row("\"Anna\"", "\"Paul\""));
        Assert.Equal(0, run.ExitCode);
        Assert.StartsWith("warning: ", run.Error, StringComparison.Ordinal);
        Assert.Contains("line 1: the answer \"Anna\" was taken as token 1399", run.Error, StringComparison.Ordinal);
        Assert.Contains("behind a word \" Anna\", token 1953", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Answers_are_a_set_and_one_that_is_right_and_wrong_is_refused_with_its_row()
    {
        string once = Mean(Score(Row("\" Anna\"", "\" Paul\""), "--metric", "prob-diff"));
        Assert.Equal(once, Mean(Score(Row("\" Anna\", \" Anna\", \" Anna\"", "\" Paul\""), "--metric", "prob-diff")));
        Score(Row("\" Anna\", \" Paul\"", "\" Paul\"")).Fails(1, "prompts.jsonl, line 1: token", "is both a right and a wrong answer");
    }

    [Fact]
    public void Answers_of_several_tokens_need_the_option()
    {
        string rows = Row("\" Anna Karenina\"", "\" Paul\"");
        Score(rows).Fails(1, "\" Anna Karenina\" in answers is not one token", "--answer first-token", "--answer sequence");
        Assert.Equal(Mean(Score(Row("\" Anna\"", "\" Paul\""))), Mean(Score(rows, "--answer", "first-token")));
        Score(rows, "--answer", "sequence").Succeeds(
            "metric log-prob", "  answers     Anna| Karen|ina\n", "answers of several tokens: sequence");
        Score(rows, "--answer", "sequence", "--metric", "prob-diff").Fails(2, "--answer sequence", "use --metric log-prob");
        Score(rows, "--answer", "second").Fails(2, "--answer second", "first-token");
        Cli.Run("score", "--model", "demo", "--task", "ioi", "--answer", "sequence").Fails(2, "--answer sequence is for --data");
    }

    [Fact]
    public void Text_prompts_with_answer_ids_and_named_positions_work()
    {
        Score($$"""{"clean": "{{Prompt}}", "corrupted": "{{Other}}", "answer_ids": [1953], "wrong_answer_ids": [1399]}""")
            .Succeeds("\" Anna\" (1953)");
        Cli.Run("prompts", "--task", "ioi", "--model", "demo", "--count", "3", "--out", _folder["p.jsonl"]).Succeeds();
        string[] options = ["path-patch", "--model", "demo", "--positions", "S2", "--out"];
        Cli.Run([.. options, _folder["a.json"], "--data", _folder["p.jsonl"]]).Succeeds();
        Cli.Run([.. options, _folder["b.json"], "--task", "ioi", "--limit", "3"]).Succeeds();
        Assert.Equal(Effects("b.json"), Effects("a.json"));
    }

    [Fact]
    public void More_prompts_than_a_task_can_make_are_refused_at_once() =>
        Cli.Run("score", "--model", "demo", "--task", "ioi", "--limit", "99999999").Fails(2, "--limit 99999999: must be from 1 to 1000000");

    public void Dispose() => _folder.Dispose();

    private Cli Score(string rows, params string[] options) =>
        Cli.Run(["score", "--model", "demo", "--method", "eap", "--top", "0", "--data", _folder.Write("prompts.jsonl", rows), .. options]);

    private string Effects(string name) => File.ReadAllText(_folder[name]).Split("\"nodes\":")[1];

    private static string Row(string answers, string wrong) =>
        $$"""{"clean": "{{Prompt}}", "corrupted": "{{Other}}", "answers": [{{answers}}], "wrong_answers": [{{wrong}}]}""";

    private static string Mean(Cli run) => run.Succeeds().Out.Split('\n').Single(l => l.StartsWith("mean ", StringComparison.Ordinal));
}
