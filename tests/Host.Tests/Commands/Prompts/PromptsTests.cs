namespace Gradpath.Host.Tests;

public sealed class PromptsTests
{
    [Fact]
    public void Prompts_are_written_and_the_same_on_every_run()
    {
        string vocabulary = RepositoryFiles.Data("tokenizer-gpt2");
        using TempFolder folder = new();
        foreach (string name in new[] { "a.jsonl", "b.jsonl" })
            Cli.Run("prompts", "--task", "sva", "--model", vocabulary, "--count", "5", "--seed", "3", "--out", folder[name]).Succeeds(
                "5 prompt pairs of sva", name);
        string[] lines = File.ReadAllLines(folder["a.jsonl"]);
        Assert.Equal(5, lines.Length);
        Assert.Equal(lines, File.ReadAllLines(folder["b.jsonl"]));
    }

    [Theory]
    [InlineData("--task chess --count 1", "--task chess")]
    [InlineData("--task ioi --count 0", "--count 0")]
    [InlineData("--task ioi --count x", "--count x: 'x' is not a whole number")]
    public void Wrong_options_are_named(string options, string mention) =>
        Cli.Run(["prompts", "--model", "none", "--out", "x.jsonl", .. options.Split(' ')]).Fails(2, mention);

    [Fact]
    public void More_prompts_than_there_are_is_named_with_the_option()
    {
        using TempFolder folder = new();
        Cli.Run("prompts", "--task", "gender-bias", "--model", "demo", "--count", "5000", "--out", folder["x.jsonl"])
            .Fails(1, "gradpath: --count 5000: with this vocabulary gender-bias has hardly more than ");
    }

    [Fact]
    public void A_missing_vocabulary_is_explained()
    {
        using TempFolder folder = new();
        Cli.Run("prompts", "--task", "ioi", "--model", folder["none"], "--out", folder["x.jsonl"]).Fails(1, "none");
        Assert.False(File.Exists(folder["x.jsonl"]));
    }
}
