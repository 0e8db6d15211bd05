using System.Text.Json;

namespace Gradpath.Host.Tests;

/// <summary>weights-tools/sort_prompts.py: pairs of which the sorted letters agree and the answers do not.</summary>
public sealed class SortScriptTests
{
    [SkippableTheory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(4)]
    public void Pairs_differ_in_one_letter_and_in_the_answer(int known)
    {
        ShellRun run = Run($"{known}", "60", "3");
        Assert.True(run.ExitCode == 0, run.Error);
        string[] lines = run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(60, lines.Distinct().Count());
        foreach (string line in lines)
        {
            JsonElement pair = JsonDocument.Parse(line).RootElement;
            int[] clean = Ids("clean_ids"), corrupted = Ids("corrupted_ids");
            Assert.Equal(6 + known, clean.Length);
            Assert.Equal(1, clean.Zip(corrupted).Count(t => t.First != t.Second));
            int[] right = [.. clean[..6].Order()], wrong = [.. corrupted[..6].Order()];
            Assert.Equal(right[..known], clean[6..]);
            Assert.Equal(wrong[..known], corrupted[6..]);
            Assert.Equal((right[known], wrong[known]), (Ids("answer_ids").Single(), Ids("wrong_answer_ids").Single()));
            Assert.NotEqual(right[known], wrong[known]);

            int[] Ids(string name) => [.. pair.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];
        }
    }

    [SkippableTheory]
    [InlineData("5", "10", "0")]
    [InlineData("2", "many", "0")]
    [InlineData("2", "10")]
    public void Other_numbers_are_refused(params string[] words)
    {
        ShellRun run = Run(words);
        Assert.Equal((2, ""), (run.ExitCode, run.Out));
        Assert.Contains("usage: sort_prompts.py", run.Error, StringComparison.Ordinal);
    }

    private static ShellRun Run(params string[] words)
    {
        string script = Path.Combine(RepositoryFiles.Root, "weights-tools/sort_prompts.py");
        Dictionary<string, string?> environment = new() { ["PYTHONDONTWRITEBYTECODE"] = "1" };
        ShellRun.Require("python3");
        return ShellRun.Of(RepositoryFiles.Root, environment, "python3", [script, .. words]);
    }
}
