using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Reports.Csv;

namespace Gradpath.Host.Tests;

public sealed class ProvenanceColumnsTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Fact]
    public void Cells_stand_under_their_heads_and_texts_with_commas_in_quotation_marks()
    {
        Provenance run = new() { Task = "ioi", Data = "generated: ioi, count 5", Seed = 3, Items = 5, Version = "1.2" };
        string cells = ProvenanceColumns.Cells(run, new JsonObject { ["steps"] = 5, ["scorer"] = null, ["ig-points"] = "left" });
        Assert.Equal("ioi,,,\"generated: ioi, count 5\",,5,,,3,steps=5 ig-points=left,1.2", cells);
        int columns = cells.Replace("ioi, count", "", StringComparison.Ordinal).Split(',').Length;
        Assert.Equal(ProvenanceColumns.Heads.Split(',').Length, columns);
    }

    [Fact]
    public void Curves_and_comparisons_say_what_every_row_was_computed_with()
    {
        string curve = model.Path("curve.csv"), folder = model.Path("rows");
        string[] run = ["--model", model.ModelDirectory, "--data", model.Pairs, "--threads", "1"];
        Cli.Run(["curve", "--scores", model.Scores(), "--out", curve, .. run]).Succeeds();
        Cli.Run(["benchmark", "--methods", "eap,hap", "--sparsity", "0.8", "--steps", "20", "--train-limit", "3", "--limit", "3", "--out",
            folder, .. run]).Succeeds();
        foreach (string file in new[] { curve, Path.Combine(folder, "table.csv") })
        {
            string[] lines = File.ReadAllLines(file);
            Assert.EndsWith($",{ProvenanceColumns.Heads}", lines[0], StringComparison.Ordinal);
            Assert.All(lines[1..], line => Assert.EndsWith($",{Provenance.ProgramVersion}", line, StringComparison.Ordinal));
            Assert.All(lines[1..], line => Assert.Contains($"{model.Pairs}", line, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_training_that_starts_from_fewer_edges_says_what_its_schedule_skips()
    {
        string circuit = model.Path("hap.json"), log = model.Path("hap.csv");
        Cli.Run("hap", "--model", model.ModelDirectory, "--data", model.Pairs, "--threads", "1", "--steps", "20", "--sparsity", "0.8",
            "--out", circuit, "--log", log).Succeeds();
        JsonNode options = JsonNode.Parse(File.ReadAllText(circuit))!["gradpath"]!["options"]!;
        Assert.Equal(20, (int)options["steps"]!);
        Assert.Equal(File.ReadAllLines(log).Length - 1, 20 - (int)options["skipped-steps"]!);
        Assert.True((int)options["target-warmup"]! <= 20);
    }
}
