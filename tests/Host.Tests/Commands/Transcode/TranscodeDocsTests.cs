using System.Globalization;
using System.Text.RegularExpressions;

namespace Gradpath.Host.Tests;

/// <summary>docs/transcoders.md: its commands run, and the one that made the demo model's transcoders is the one that is shown.</summary>
public sealed partial class TranscodeDocsTests
{
    private static readonly string s_page = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs/transcoders.md"));

    [Fact]
    public void Every_command_works()
    {
        using TempFolder folder = new();
        string[] commands =
        [
            .. Block().Matches(s_page).SelectMany(b => b.Groups[1].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries)),
        ];
        Assert.True(commands.Length >= 5);
        foreach (string command in commands)
        {
            string[] words = [.. Word().Matches(command).Select(m => m.Value.Trim('"'))];
            Assert.Equal("./gradpath", words[0]);
            for (int i = 1; i < words.Length; i++)
            {
                if (words[i - 1] is "--out" or "--scores" or "--attribution") words[i] = folder[words[i]];
            }
            if (words.Contains("train")) words = [.. words, "--steps", "3"];
            Cli.Run(words[1..]).Succeeds();
        }
        string report = File.ReadAllText(folder["report.html"]);
        Assert.Contains("What comes after &ldquo;When John and Mary", report, StringComparison.Ordinal);
        Assert.Contains("<td>layer ", report, StringComparison.Ordinal);
        Assert.Equal(5, Directory.GetFiles(folder["transcoders"]).Length);
    }

    [Fact]
    public void The_demo_models_transcoders_are_what_the_page_says()
    {
        string[] config = File.ReadAllLines(Path.Combine(RepositoryFiles.DemoModel, "transcoders/config.yaml"));
        string Of(string key) =>
            config.Single(l => l.TrimStart().StartsWith(key + ": ", StringComparison.Ordinal)).Split(": ", 2)[1].Trim('"');
        Assert.Contains($"--tasks {Of("data")} --limit 900 ", s_page, StringComparison.Ordinal);
        Assert.Equal(("512", "16", "2000"), (Of("features"), Of("active"), Of("steps")));
        string[] fvu = Of("fvu").Trim('[', ']').Split(", ");
        Assert.Equal(4, fvu.Length);
        for (int l = 0; l < 4; l++)
        {
            double share = double.Parse(fvu[l], CultureInfo.InvariantCulture);
            Assert.Contains($"\n| {l} | {share.ToString("0.0000", CultureInfo.InvariantCulture)} | 16 |", s_page, StringComparison.Ordinal);
            Assert.InRange(share, 0, 0.05);
        }
        long bytes = Directory.GetFiles(Path.Combine(RepositoryFiles.DemoModel, "transcoders")).Sum(f => new FileInfo(f).Length);
        Assert.InRange(bytes, 1, 3_000_000);
    }

    [GeneratedRegex("```sh\\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("\"[^\"]*\"|\\S+")]
    private static partial Regex Word();
}
