using System.Text.RegularExpressions;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Tests;

/// <summary>
/// Every command that the README shows is run here, with the demo model in GPT-2's place and files in a folder of the test's own; what
/// needs a network or is a make target is checked to exist, and CI runs the targets.
/// </summary>
public sealed partial class ReadmeTests
{
    private static readonly string Root = RepositoryFiles.Root;

    [Fact]
    public void Every_command_works()
    {
        using TempFolder folder = new();
        int run = 0;
        foreach (string line in ShellLines())
        {
            string command = Comment().Replace(line, "").Trim();
            if (command.Length == 0) continue;
            if (command.StartsWith("make ", StringComparison.Ordinal))
            {
                string target = command.Split(' ')[1];
                Assert.Contains($"\n{target}:", File.ReadAllText(Path.Combine(Root, "Makefile")), StringComparison.Ordinal);
                continue;
            }
            if (command.StartsWith("weights-tools/", StringComparison.Ordinal))
            {
                Assert.True(File.Exists(Path.Combine(Root, command.Split(' ')[0])), command);
                continue;
            }
            string input = "";
            if (command.StartsWith("echo ", StringComparison.Ordinal))
            {
                string[] piped = command.Split(" | ", 2);
                input = piped[0]["echo ".Length..].Trim('\'') + "\n";
                command = piped[1];
            }
            Assert.StartsWith("./gradpath ", command, StringComparison.Ordinal);
            Cli.RunWith(input, CancellationToken.None, [.. Arguments(command, folder)]).Succeeds();
            run++;
        }
        Assert.True(run >= 6, $"only {run} commands were found in the README");
    }

    [Fact]
    public void The_table_of_searches_has_a_line_for_each()
    {
        string readme = File.ReadAllText(Path.Combine(Root, "README.md"));
        foreach (CircuitSearch search in CircuitSearches.All)
        {
            string command = VerbTable.Names.Contains(search.Name) ? search.Name : $"search --method {search.Name}";
            Assert.Contains($"\n| {search.Title} | `{command}` | {search.Summary} |\n", readme, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("README.md", 3)]
    [InlineData("src/Gpt2Runtime/PACKAGE.md", 2)]
    [InlineData("src/Kernels/PACKAGE.md", 1)]
    public void The_example_program_is_the_one_that_is_compiled(string page, int examples)
    {
        MatchCollection blocks = CSharpBlock().Matches(File.ReadAllText(Path.Combine(Root, page)));
        Assert.Equal(examples, blocks.Count);
        string compiled = File.ReadAllText(Path.Combine(Root, "tests/Host.Tests/Repository/ReadmeExample.cs"));
        IEnumerable<string> lines = blocks.SelectMany(
            b => b.Groups[1].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        foreach (string line in lines)
        {
            // The test says where the file goes.
            Assert.Contains(line.Replace("\"scores.json\"", "file", StringComparison.Ordinal), compiled, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_example_program_scores_every_edge()
    {
        using TempFolder folder = new();
        (EdgeScores scores, double faithfulness, Circuit found) =
            ReadmeExample.Run([Path.Combine(Root, "models/demo")], folder["scores.json"]);
        Assert.Equal(37 * 101, scores.Values.Length);
        Assert.Equal(scores.Values, EdgeScores.Load(folder["scores.json"]).Values);
        Assert.InRange(faithfulness, 0.5, 1.5);
        Assert.InRange(found.EdgeCount, 1, scores.Graph.EdgeCount);
        Assert.Equal("margin", ReadmeExample.Margin().Name);
        Assert.True(Enum.IsDefined(ReadmeExample.Open()));
    }

    private static IEnumerable<string> ShellLines() => ShellBlock()
        .Matches(File.ReadAllText(Path.Combine(Root, "README.md")))
        .SelectMany(block => block.Groups[1].Value.Split('\n'));

    private static IEnumerable<string> Arguments(string command, TempFolder folder)
    {
        string[] words = [.. Word().Matches(command).Select(m => m.Value.Trim('"'))];
        for (int i = 1; i < words.Length; i++)
        {
            yield return words[i - 1] switch
            {
                "--model" when words[i].StartsWith("gpt2", StringComparison.Ordinal) => Path.Combine(Root, "models/demo"),
                "sweep" when words[i].StartsWith("sweeps/", StringComparison.Ordinal) => Path.Combine(Root, words[i]),
                "status" or "merge" when words[1] == "sweep" => folder[words[i]],
                "convert" => folder[words[i]],
                _ when words[1] == "compare" && !words[i - 1].StartsWith('-') && words[i].EndsWith(".json", StringComparison.Ordinal) =>
                    folder[words[i]],
                "--with" or "--ground-truth" when words[i].Contains('.', StringComparison.Ordinal) => folder[words[i]],
                "--out" or "--data" or "--record-path" or "--scores" or "--circuit" or "--curve" or "--picture" or "--log"
                    or "--training" or "--recall" or "--table" or "--per-item" or "--per-item-edges" or "--init" => folder[words[i]],
                _ => words[i],
            };
        }
    }

    [GeneratedRegex(@"```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex ShellBlock();

    [GeneratedRegex(@"```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CSharpBlock();

    [GeneratedRegex("\"[^\"]*\"|\\S+")]
    private static partial Regex Word();

    [GeneratedRegex(@"\s#.*$")]
    private static partial Regex Comment();
}
