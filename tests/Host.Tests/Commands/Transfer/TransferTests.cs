using System.Globalization;
using System.Text.Json.Nodes;
using System.Xml.Linq;

namespace Gradpath.Host.Tests;

public sealed class TransferTests : IDisposable
{
    private static readonly string[] s_tasks = ["ioi", "greater-than", "sva"];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static string[] Options(string limit, params string[] further) =>
        ["transfer", "--model", "demo", "--tasks", string.Join(',', s_tasks), "--limit", limit, "--threads", "1", .. further];

    [Fact]
    public void Matrices_are_shown_written_and_drawn()
    {
        (string json, string csv, string svg) = (_folder["t.json"], _folder["t.csv"], _folder["t.svg"]);
        string[] command = Options("12", "--edges", "40,1519", "--out", json, "--table", csv, "--picture", svg);
        Cli.Run(command).Succeeds(
            "circuits of 3 tasks by eap-ig, of at most 40, 1,519 edges after pruning", "ablated (patching) at all positions",
            "40 edges: overlap of edges (Jaccard)", "1,519 edges: damage by ablating it", "a task's own circuit on it", json, csv, svg);

        JsonNode result = JsonNode.Parse(File.ReadAllText(json))!;
        JsonNode small = result["matrices"]![0]!, whole = result["matrices"]![1]!;
        for (int of = 0; of < s_tasks.Length; of++)
        {
            Assert.Equal(1, At(small, "jaccard", of, of));
            int[] others = [.. Enumerable.Range(0, s_tasks.Length).Where(t => t != of)];
            Assert.True(At(small, "faithfulness", of, of) > others.Average(t => At(small, "faithfulness", t, of)));
            for (int on = 0; on < s_tasks.Length; on++)
            {
                Assert.Equal(At(small, "jaccard", of, on), At(small, "jaccard", on, of));
                (double low, double high) = (At(small, "faithfulness_low", of, on), At(small, "faithfulness_high", of, on));
                Assert.InRange(At(small, "faithfulness", of, on), low, high);
                Assert.Equal(1, At(whole, "jaccard", of, on), 2);
                Assert.Equal(1, At(whole, "faithfulness", of, on), 2);
                Assert.Equal(1, At(whole, "damage", of, on), 2);
            }
        }
        Assert.All(small["random_faithfulness"]!.AsArray(), f => Assert.InRange(f!.GetValue<double>(), -0.5, 0.5));
        Assert.All(whole["random_damage"]!.AsArray(), d => Assert.Equal(1, d!.GetValue<double>(), 2));
        Assert.All(result["circuits"]!.AsArray(), c => Assert.Equal(c!["n_edges"]!.GetValue<int>(), c["members"]!.AsArray().Count));

        string[][] rows = [.. File.ReadAllLines(csv).Select(l => l.Split(','))];
        Assert.Equal(1 + (2 * 9), rows.Length);
        foreach (string[] row in rows.Skip(1).Take(9))
        {
            int of = Array.IndexOf(s_tasks, row[1]), on = Array.IndexOf(s_tasks, row[2]);
            Assert.Equal(At(small, "faithfulness", of, on), Number(row[8]), 12);
            Assert.Equal(At(small, "damage", of, on), Number(row[11]), 12);
        }
        Assert.Equal(2 * 3 * 9, XDocument.Load(svg).Descendants().Count(e => e.Attribute("class")?.Value == "cell"));

        string first = File.ReadAllText(csv);
        Cli.Run(command).Succeeds();
        Assert.Equal(first, File.ReadAllText(csv));
    }

    /// <summary>The pairs that judge are the second half of each task's.</summary>
    [Fact]
    public void Pairs_that_judge_are_others_than_those_that_find()
    {
        JsonNode json = JsonNode.Parse(Cli.Run(Options("5", "--edges", "30", "--method", "eap", "--json")).Succeeds().Out)!;
        Assert.All(json["tables"]!["tasks"]!.AsArray(), t =>
            Assert.Equal((2, 3), (t!["found_on"]!.GetValue<int>(), t["judged_on"]!.GetValue<int>())));
        JsonNode task = json["gradpath"]!["tasks"]![1]!;
        Assert.Contains("pairs 1 to 2", task["found_on"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Contains("pairs 3 to 5", task["judged_on"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--tasks ioi", "--tasks", "two tasks at least")]
    [InlineData("--tasks ioi,IOI", "--tasks", "twice")]
    [InlineData("--tasks ioi,greater", "--tasks greater", "greater-than")]
    [InlineData("--tasks ioi,sva --task ioi", "--task", "--tasks")]
    [InlineData("--tasks ioi,sva --limit 1", "--limit 1")]
    [InlineData("--tasks ioi,sva --edges 10,10", "--edges", "twice")]
    [InlineData("--tasks ioi,sva --random 0", "--random 0")]
    [InlineData("--tasks ioi,sva --edges 0", "--edges 0")]
    [InlineData("--tasks ioi,sva --edges 1520", "--edges 1520", "1,519")]
    [InlineData("--tasks ioi,sva --method eap-gi", "--method eap-gi", "eap-ig")]
    [InlineData("--tasks ioi,sva --method eap --metric kl", "--metric kl: EAP has no scores for it", "--metric")]
    [InlineData("--tasks ioi,sva --ablation zero", "--ablation zero does not apply to eap-ig", "--method")]
    public void A_wrong_option_is_named(string options, params string[] mentions) =>
        Cli.Run(["transfer", "--model", "demo", "--threads", "1", .. options.Split(' ')]).Fails(2, mentions);

    [Fact]
    public void A_folder_without_prompts_is_named_with_the_option()
    {
        using TempFolder folder = new();
        string empty = folder.Path;
        Cli.Run("transfer", "--model", "demo", "--threads", "1", "--tasks", "ioi,sva", "--data", empty)
            .Fails(1, $"gradpath: --data {empty}: holds no prompts; none of gpt2.csv,", "nor in a folder ioi of it");
    }

    private static double At(JsonNode matrices, string name, int of, int on) => matrices[name]![of]![on]!.GetValue<double>();

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
