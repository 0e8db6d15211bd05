using System.Text.Json.Nodes;

namespace Gradpath.Host.Tests;

public sealed class EnvironmentDefaultsTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Fact]
    public void A_variable_gives_what_the_command_line_does_not()
    {
        Dictionary<string, string> variables = new()
        {
            ["GRADPATH_MODEL"] = model.ModelDirectory,
            ["GRADPATH_DEVICE"] = "cpu",
            ["GRADPATH_THREADS"] = "1",
        };
        Cli run = Cli.RunWithVariables(variables, "score", "--data", model.Pairs, "--verbose");
        Assert.Equal(0, run.ExitCode);
        foreach (string option in new[] { "model", "device", "threads" })
            Assert.Contains($"--{option} is from GRADPATH_{option.ToUpperInvariant()}\n", run.Error, StringComparison.Ordinal);
        Assert.Contains("1 thread", run.Out, StringComparison.Ordinal);
        string other = Cli.RunWithVariables(variables, "score", "--data", model.Pairs, "--threads", "2", "--json").Out;
        Assert.Contains("2 threads", JsonNode.Parse(other)!["gradpath"]!["device"]!.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GRADPATH_DEVICE", "warp", "GRADPATH_DEVICE gives --device warp")]
    [InlineData("GRADPATH_MEMORY", "much", "GRADPATH_MEMORY gives --memory much")]
    public void A_bad_value_names_the_variable(string variable, string value, string message) => Cli.RunWithVariables(
        new() { [variable] = value }, "score", "--model", model.ModelDirectory, "--data", model.Pairs).Fails(2, message);

    /// <summary>Threads are the CPU's and precision is a GPU's: a variable for one is no reason to refuse the other.</summary>
    [Fact]
    public void What_does_not_go_with_the_device_is_left_out() => Cli.RunWithVariables(
        new() { ["GRADPATH_PRECISION"] = "bf16", ["GRADPATH_GEMM"] = "ffma" },
        "score", "--model", model.ModelDirectory, "--data", model.Pairs, "--device", "cpu").Succeeds("fp32");

    [Theory]
    [InlineData("GRADPATH_PRECISION", "bf17", "GRADPATH_PRECISION gives --precision bf17")]
    [InlineData("GRADPATH_GEMM", "blas", "GRADPATH_GEMM gives --gemm blas")]
    [InlineData("GRADPATH_THREADS", "two", "GRADPATH_THREADS gives --threads two")]
    public void What_is_left_out_is_checked_all_the_same(string variable, string value, string message) => Cli.RunWithVariables(
        new() { [variable] = value }, "score", "--model", model.ModelDirectory, "--data", model.Pairs).Fails(2, message);

    [Fact]
    public void Help_and_the_readme_name_every_variable()
    {
        string readme = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "README.md"));
        foreach ((string option, string variable) in EnvironmentDefaults.Table)
        {
            Cli.Run("score", "--help").Succeeds($"{variable} gives --{option}");
            Assert.Contains($"`{variable}`", readme, StringComparison.Ordinal);
        }
    }
}
