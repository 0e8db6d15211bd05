using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Tests;

/// <summary>A sweep of the demo model, and its prompts in files as <c>gradpath prompts</c> writes them.</summary>
internal sealed class UnitSweep : IDisposable
{
    /// <summary>Pairs to find circuits on.</summary>
    public const int Train = 6;

    /// <summary>Pairs to judge them on.</summary>
    public const int Judge = 5;

    private readonly TempFolder _temp = new();

    /// <summary>A file beside the sweep.</summary>
    /// <param name="name">Its name.</param>
    public string this[string name] => _temp[name];

    /// <summary>Runs a plan of the demo model.</summary>
    /// <param name="plan">The plan, without models and prompts.</param>
    /// <param name="prompts">What stands under prompts.</param>
    /// <param name="name">The folder's name.</param>
    public SweepFolder Run(string plan, string? prompts = null, string name = "sweep")
    {
        File.WriteAllText(_temp["plan.yaml"], $"models: demo\nprompts: {prompts ?? $"{{train: {Train}, judge: {Judge}}}"}\n{plan}\n");
        SweepPlans.Run(_temp["plan.yaml"], _temp[name]).Succeeds();
        return SweepLayout.Open(_temp[name]);
    }

    /// <summary>Writes the pairs that generate a seed's prompts: the first to find circuits on, the others to judge.</summary>
    /// <param name="task">The task.</param>
    /// <param name="seed">The seed.</param>
    /// <returns>The files.</returns>
    public (string Find, string Judge) Prompts(string task, int seed)
    {
        (string find, string judge) = (_temp[$"{task}-{seed}-find.jsonl"], _temp[$"{task}-{seed}-judge.jsonl"]);
        if (File.Exists(judge)) return (find, judge);
        string all = _temp[$"{task}-{seed}.jsonl"];
        Cli.Run("prompts", "--task", task, "--model", "demo", "--count", $"{Train + Judge}", "--seed", $"{seed}", "--out", all).Succeeds();
        string[] lines = File.ReadAllLines(all);
        Assert.Equal(Train + Judge, lines.Length);
        File.WriteAllLines(find, lines[..Train]);
        File.WriteAllLines(judge, lines[Train..]);
        return (find, judge);
    }

    /// <summary>Runs another verb on the demo model, and asks for JSON.</summary>
    /// <param name="words">Its words but for the model and the device.</param>
    public static JsonObject Verb(params string[] words)
    {
        Cli run = Cli.Run([.. words, "--model", "demo", .. SweepPlans.Cpu, "--json"]);
        Assert.True(run.ExitCode == 0, $"{string.Join(' ', words)}: {run.Error}{run.Out}");
        return JsonNode.Parse(run.Out)!.AsObject();
    }

    /// <summary>The scores of a unit.</summary>
    /// <param name="folder">The sweep.</param>
    /// <param name="unit">The unit.</param>
    public static EdgeScores Scores(SweepFolder folder, SweepUnit unit) => EdgeScores.Load(folder.ScoresFile(unit.Key));

    /// <inheritdoc />
    public void Dispose() => _temp.Dispose();
}
