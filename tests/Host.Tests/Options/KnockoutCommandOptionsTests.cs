namespace Gradpath.Host.Tests;

/// <summary>What completeness and minimality share.</summary>
public sealed class KnockoutCommandOptionsTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Theory]
    [InlineData("--random -1", "--random -1")]
    [InlineData("--greedy-runs -1", "--greedy-runs -1")]
    [InlineData("--greedy-iterations 0", "--greedy-iterations 0")]
    [InlineData("--greedy-candidates 0", "--greedy-candidates 0")]
    [InlineData("--out r.csv", "--out r.csv", ".json")]
    [InlineData("--metric f1", "--metric f1")]
    public void A_wrong_option_is_named(string options, params string[] mentions)
    {
        foreach (string verb in new[] { "completeness", "minimality" })
            Cli.Run([verb, "--circuit", "c.json", "--model", "nothing", "--data", "p.jsonl", .. options.Split(' ')]).Fails(2, mentions);
    }

    [Fact]
    public void Classes_that_cannot_be_used_are_explained()
    {
        Run("completeness", "--classes", model.Path("none.json")).Fails(1, "none.json", "no such file");
        File.WriteAllText(model.Path("wrong.json"), """{"early": ["a9.h9"]}""");
        Run("minimality", "--classes", model.Path("wrong.json")).Fails(1, "wrong.json", "early", "a9.h9");
    }

    private Cli Run(string verb, params string[] options) => Cli.Run(
        [verb, "--circuit", model.Circuit("circuit.json", 25), "--model", model.ModelDirectory, "--data", model.Pairs, "--threads", "1",
            .. options]);
}
