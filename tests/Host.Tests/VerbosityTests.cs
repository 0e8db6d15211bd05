using System.Text.RegularExpressions;

namespace Gradpath.Host.Tests;

/// <summary>How much every verb says: <c>--quiet</c>, <c>--verbose</c>, and without a terminal.</summary>
public sealed partial class VerbosityTests : IDisposable
{
    private readonly TinyModel _model = new();

    public static TheoryData<string> Verbs => [.. VerbTable.Names];

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Quiet_leaves_the_result_and_verbose_adds_to_the_error_stream(string verb)
    {
        string[] command = VerbSamples.Of(verb, _model)[0];
        // Measurements differ from run to run.
        bool repeats = verb is not ("benchmark" or "bench");
        string plain = Run([.. command]).Succeeds().Out;
        DeleteFolder();
        Cli quiet = Run([.. command, "--quiet"]).Succeeds();
        DeleteFolder();
        Cli verbose = Run([.. command, "--verbose"]);
        Assert.Equal(0, verbose.ExitCode);
        Assert.Matches($"\n?{verb}: [0-9.]+ s, at most .* resident\n$", verbose.Error);
        if (!repeats) return;
        // The first prompt pair, which is shown before a run, is the one thing of standard output that quiet hides.
        Assert.EndsWith(WithoutTimes(quiet.Out), WithoutTimes(plain), StringComparison.Ordinal);
        Assert.NotEqual("", quiet.Out);
        Assert.Equal(WithoutTimes(plain), WithoutTimes(verbose.Out));

        // A benchmark refuses the folder of an earlier one, and a sweep goes on in it.
        void DeleteFolder()
        {
            if (verb == "benchmark") Directory.Delete(_model.Path("benchmark"), recursive: true);
            if (verb == "sweep") Directory.Delete(_model.Path("swept"), recursive: true);
        }
    }

    [Fact]
    public void Verbose_says_what_is_loaded_planned_and_timed()
    {
        string error = Run("score", "--model", _model.ModelDirectory, "--data", _model.Pairs, "--threads", "1", "--verbose").Error;
        Assert.Matches(@"device: CPU .*, workspaces of at most [0-9.]+ [KMGT]iB\n", error);
        Assert.Matches(@"prompts: 6 pairs of pairs \(.*pairs\.jsonl\), 5 tokens, metric logit-diff\n", error);
        Assert.Matches(@"model: model from .*model, 1,472 parameters, F32, sha256:[0-9a-f]{64}\n", error);
        Assert.Matches(@"plan: 1 batch of up to 6 pairs, .* positions", error);
        foreach (string stage in new[] { "load", "tokenise", "passes", "write" }) Assert.Matches($"\n{stage}: [0-9.]+ s\n", "\n" + error);
    }

    [Fact]
    public void Verbose_says_with_which_settings_a_search_runs() => Assert.Matches(
        @"edge-prune: sparsity 0\.8, target 0\.8, steps 6, ",
        Run([.. VerbSamples.Of("edge-prune", _model)[0], "--verbose"]).Error);

    /// <summary>A checkpoint whose files contradict each other is read with a warning; quiet hides it, JSON has it.</summary>
    [Fact]
    public void Warnings_are_hidden_by_quiet_and_kept_in_json()
    {
        using TempFolder folder = new();
        string demo = Path.Combine(RepositoryFiles.Root, "models/demo");
        foreach (string file in Directory.GetFiles(demo)) File.Copy(file, folder[Path.GetFileName(file)]);
        string config = File.ReadAllText(folder["config.json"]);
        File.WriteAllText(folder["config.json"], config.Replace("\"bos_token_id\": 2542", "\"bos_token_id\": 3", StringComparison.Ordinal));
        string[] command = ["info", "--model", folder.Path];
        string warning = Run(command).Error;
        Assert.StartsWith("warning: ", warning, StringComparison.Ordinal);
        Assert.Equal("", Run([.. command, "--quiet"]).Error);
        string json = Run([.. command, "--quiet", "--json"]).Out;
        Assert.Contains(warning["warning: ".Length..].TrimEnd(), System.Text.Json.Nodes.JsonNode.Parse(json)!["warnings"]![0]!.ToString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Quiet_and_verbose_contradict_each_other() => Run("tasks", "--quiet", "--verbose").Fails(2, "--quiet and --verbose");

    [Fact]
    public void Quiet_does_not_hide_errors() =>
        Run("draw", "--circuit", "/nowhere/c.json", "--out", "c.svg", "--quiet").Fails(1, "/nowhere");

    public void Dispose() => _model.Dispose();

    private static Cli Run(params string[] command) => Cli.RunWith(VerbSamples.Input, CancellationToken.None, command);

    private static string WithoutTimes(string text) => Times().Replace(text, "");

    [GeneratedRegex(@"time: .*|\s+[0-9.]+ s\b|[0-9.]+ [KMGT]iB.*|(?m)^ +(0|1e-?).*$")]
    private static partial Regex Times();
}
