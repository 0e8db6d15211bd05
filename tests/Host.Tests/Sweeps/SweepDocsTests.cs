using System.Diagnostics;
using System.Text.RegularExpressions;
using Gradpath.Host.Sweeps.Plan;

namespace Gradpath.Host.Tests;

/// <summary>docs/sweeps.md and docs/sweep-results.md: their commands run, the plan that is shown is read, and so is the table.</summary>
public sealed partial class SweepDocsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_commands_work_and_the_table_is_read()
    {
        // Few units of the plan that ships are as good as all of them.
        string plan = _folder.Write("demo.yaml", """
            models: demo
            tasks: [ioi, sva]
            methods: [eap, eap-ig]
            seeds: 0..1
            prompts: {train: 4, judge: 4}
            sizes: {fractions: [0.1, 1], edges: [50]}
            evaluate: [curve, overlap]
            """);
        string sweep = _folder["demo-sweep"];
        string[] commands = [.. Commands("docs/sweeps.md")];
        Assert.True(commands.Length >= 4);
        foreach (string command in commands)
        {
            Cli.Run([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..].Select(
                w => w == "sweeps/demo.yaml" ? plan : w == "out/demo-sweep" ? sweep : w)]).Succeeds();
        }
        string python = Block("python").Replace("out/demo-sweep", sweep, StringComparison.Ordinal);
        if (!Has("pandas")) return;
        (int code, string output) = Python(python);
        Assert.True(code == 0, output);
        Assert.Contains("eap-ig", output, StringComparison.Ordinal);
        Assert.Contains("0.1", output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_plan_that_is_shown_is_read()
    {
        _folder.Write("pairs.jsonl", "");
        SweepPlan plan = PlanReader.Read(_folder.Write("shown.yaml", Block("yaml")));
        Assert.Equal(("path-starts", 1 + 2 + 2 + 2, 5), (plan.Name, plan.Methods.Count, plan.Seeds.Count));
    }

    [Fact]
    public void The_sweeps_whose_results_are_shown_can_be_run()
    {
        string[] plans = [.. Commands("docs/sweep-results.md")
            .Where(c => c.StartsWith("./gradpath sweep sweeps/", StringComparison.Ordinal)).Select(c => c.Split(' ')[2])];
        Assert.Equal(["sweeps/eap-gp.yaml", "sweeps/hap.yaml"], plans);
        foreach ((string plan, int units) in plans.Zip((int[])[180, 35]))
        {
            string page = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs/sweep-results.md"));
            Assert.Contains($"`{plan}` ({units} units)", page, StringComparison.Ordinal);
            Assert.Equal(units, PlanReader.Read(Path.Combine(RepositoryFiles.Root, plan)).Combinations);
        }
    }

    private static IEnumerable<string> Commands(string page) => Fenced("sh", page)
        .SelectMany(block => block.Split('\n'))
        .Select(line => Comment().Replace(line, "").Trim())
        .Where(line => line.StartsWith("./gradpath ", StringComparison.Ordinal));

    private static string Block(string language) => Fenced(language, "docs/sweeps.md").Single();

    private static IEnumerable<string> Fenced(string language, string page) =>
        Regex.Matches(File.ReadAllText(Path.Combine(RepositoryFiles.Root, page)), $"```{language}\n(.*?)```", RegexOptions.Singleline)
            .Select(m => m.Groups[1].Value);

    private static bool Has(string module)
    {
        try
        {
            return Python($"import {module}").Code == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static (int Code, string Output) Python(string program)
    {
        using Process process = Process.Start(new ProcessStartInfo("python3", ["-c", program])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        string output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output);
    }

    [GeneratedRegex(@"\s#.*$")]
    private static partial Regex Comment();
}
