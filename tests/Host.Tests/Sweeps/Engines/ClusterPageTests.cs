using System.Text.RegularExpressions;

namespace Gradpath.Host.Tests;

/// <summary>
/// docs/clusters.md: its commands of this program run here, on a small plan in the place of the one that ships and a folder of the test's
/// own. Those of other programs must stand in the script of the tests that runs them, but for the two that the page calls untested.
/// </summary>
public sealed partial class ClusterPageTests(TinyModel model) : IClassFixture<TinyModel>
{
    private static readonly string s_page = Read("docs/clusters.md");

    // Where the tests run a program's command, which stands there with other names: how both begin.
    private static readonly Dictionary<string, (string Script, string Words)[]> s_others = new()
    {
        ["squeue"] = [("tests/slurm/run", "squeue "), ("tests/slurm/run", " -j ")],
        ["scancel"] = [("tests/slurm/run", "scancel \"$job\"")],
        ["scontrol"] = [("tests/slurm/run", "scontrol requeue \"${job}_1\"")],
        ["snakemake"] =
        [
            ("tests/snakemake", "snakemake --snakefile examples/sweep/Snakefile --cores 2 "), ("tests/snakemake", "--config \"plan="),
            ("tests/snakemake", "\"out="), ("tests/snakemake", "\"shards="), (".ci/run", "\ntests/snakemake\n"),
            (".ci/run", "\ntests/slurm/run\n"),
        ],
        ["make"] = [(".ci/run", "\nmake bundle\n"), (".ci/run", "\ntests/container\n")],
    };

    [SkippableFact]
    public void Every_command_of_the_program_works()
    {
        Skip.If(OperatingSystem.IsWindows(), "paths are those of a Unix shell");
        using TempFolder folder = new();
        string plan = folder.Write("demo.yaml", $"""
            models: {model.ModelDirectory}
            tasks: {"{"}name: pairs, data: {model.Pairs}{"}"}
            methods: [eap, eap-gp]
            prompts: {"{"}train: 4, judge: 2{"}"}
            """);
        int run = 0;
        foreach (string command in Commands().Where(c => c.StartsWith("./gradpath ", StringComparison.Ordinal)))
        {
            string[] words =
            [
                .. command.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..]
                    .Select(w => w == "sweeps/demo.yaml" ? plan : w == "runs/demo" ? folder["demo"] : w),
            ];
            if (words is ["sweep", "submit", ..] && !words.Contains("--dry-run")) words = [.. words, "--dry-run"];
            Cli done = Cli.Run(words);
            if (words.Contains("all") && done.ExitCode != 0) done.Fails(2, "--devices all: ");
            else done.Succeeds();
            run++;
        }
        Assert.True(run >= 14, $"only {run} commands were found");
        Cli.Run("sweep", "status", folder["demo"]).Succeeds("2 of 2 units done");
    }

    [Fact]
    public void Commands_of_other_programs_stand_in_the_scripts_that_run_them()
    {
        foreach (string command in Commands())
        {
            string program = command.Split(' ')[0];
            if (program == "./gradpath") continue;
            if (program is "kubectl" or "podman")
            {
                string owned = program == "podman" ? "`podman` itself is untested" : "these two are for you to try";
                Assert.Contains(owned, s_page, StringComparison.Ordinal);
                continue;
            }
            Assert.True(s_others.ContainsKey(program), $"nobody runs: {command}");
            foreach ((string script, string words) in s_others[program])
                Assert.True(Read(script).Contains(words, StringComparison.Ordinal), $"{script} has no '{words}', for: {command}");
        }
    }

    [Fact]
    public void The_files_that_it_names_are_there()
    {
        foreach (Match link in Link().Matches(s_page))
            Assert.True(File.Exists(Path.Combine(RepositoryFiles.Root, "docs", link.Groups[1].Value)), link.Value);
        foreach (Match script in Script().Matches(s_page))
            Assert.True(File.Exists(Path.Combine(RepositoryFiles.Root, script.Groups[1].Value)), script.Value);
    }

    [Fact]
    public void The_times_are_those_of_the_program()
    {
        Assert.Contains("a sign of life every five seconds", s_page, StringComparison.Ordinal);
        Assert.Contains("last sign is 60 seconds old", s_page.ReplaceLineEndings(" "), StringComparison.Ordinal);
        Assert.Contains("held up for over a minute", s_page.ReplaceLineEndings(" "), StringComparison.Ordinal);
        Assert.Equal((5, 60), ((int)Host.Sweeps.Store.ClaimTiming.Default.Heartbeat.TotalSeconds,
            (int)Host.Sweeps.Store.ClaimTiming.Default.Expiry.TotalSeconds));
    }

    private static IEnumerable<string> Commands() => ShellBlock().Matches(s_page)
        .SelectMany(block => block.Groups[1].Value.Split('\n'))
        .Select(line => Comment().Replace(line, "").Trim())
        .Where(line => line.Length > 0);

    private static string Read(string file) => File.ReadAllText(Path.Combine(RepositoryFiles.Root, file));

    [GeneratedRegex(@"```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex ShellBlock();

    [GeneratedRegex(@"\s#.*$")]
    private static partial Regex Comment();

    [GeneratedRegex(@"\]\(([^)#:]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`(tests/[a-z/]+)`")]
    private static partial Regex Script();
}
