using System.Text.Json;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Commands;

namespace Gradpath.Host.Tests;

public sealed class ReproduceTests(TinyModel model) : IClassFixture<TinyModel>
{
    public static TheoryData<string> Studies => [.. PublishedStudies.All.Select(s => s.Name)];

    [Fact]
    public void There_is_a_study_per_task() =>
        Assert.Equal(
            TaskCatalog.All.Select(t => t.Name).Order(), PublishedStudies.All.Select(s => s.Name).Where(n => n != "mib").Order());

    [Theory]
    [MemberData(nameof(Studies))]
    public void Every_study_runs_on_the_demo_model_without_published_figures(string study)
    {
        string file = model.Path($"{study}.json");
        Cli.Run("reproduce", study, "--model", "demo", "--limit", "3", "--threads", "1", "--out", file)
            .Succeeds("EAP-GP, as published", "EAP-IG", "published", "this model has another shape", "of edges, at all positions");
        JsonElement json = JsonDocument.Parse(File.ReadAllBytes(file)).RootElement;
        Assert.Equal(study, json.GetProperty("study").GetString());
        JsonElement[] figures = [.. json.GetProperty("figures").EnumerateArray()];
        Assert.Equal(study == "mib" ? 10 : 15, figures.Length);
        Assert.All(figures, f =>
        {
            Assert.Equal(JsonValueKind.Null, f.GetProperty("published").ValueKind);
            Assert.True(double.IsFinite(f.GetProperty("value").GetDouble()));
        });
    }

    /// <summary>The same share of the demo model's 1,519 edges as of the 32,491 of GPT-2 small.</summary>
    [Fact]
    public void A_figure_is_what_score_circuit_and_evaluate_give()
    {
        string figures = model.Path("figures.json"), scores = model.Path("ig.json"), circuit = model.Path("ig-circuit.json");
        string evaluation = model.Path("ig-evaluation.json");
        string[] prompts = ["--model", "demo", "--task", "ioi", "--limit", "4", "--threads", "1"];
        Cli.Run("reproduce", "ioi", "--model", "demo", "--limit", "4", "--threads", "1", "--out", figures).Succeeds();
        Cli.Run(["score", .. prompts, "--method", "eap-ig", "--ig-points", "right", "--out", scores]).Succeeds();
        Cli.Run("circuit", "--scores", scores, "--greedy", "47", "--out", circuit).Succeeds();
        Cli.Run(["evaluate", .. prompts, "--circuit", circuit, "--out", evaluation]).Succeeds();
        JsonElement figure = JsonDocument.Parse(File.ReadAllBytes(figures)).RootElement.GetProperty("figures").EnumerateArray()
            .Single(f => f.GetProperty("scores").GetString() == "EAP-IG" && f.GetProperty("edges").GetInt32() == 47);
        JsonElement alone = JsonDocument.Parse(File.ReadAllBytes(evaluation)).RootElement;
        Assert.Equal(alone.GetProperty("faithfulness").GetDouble(), figure.GetProperty("value").GetDouble(), 6);
        Assert.Equal(alone.GetProperty("n_edges").GetInt32(), figure.GetProperty("edges_after_prune").GetInt32());
    }

    /// <summary>Figures were copied by hand.</summary>
    [Fact]
    public void Published_figures_are_of_methods_of_the_table() => Assert.All(PublishedStudies.All.SelectMany(s => s.Figures), f =>
    {
        Assert.Contains(f.Scores.Method, AttributionMethods.All);
        Assert.InRange(f.Value ?? 0, -0.1, 2);
        Assert.Equal(f.Value is null, f.Source.Length == 0);
    });

    [Fact]
    public void More_prompts_than_there_are_is_named_with_the_option() =>
        Cli.Run("reproduce", "gender-bias", "--model", "demo", "--limit", "50000").Fails(
            1, "gradpath: --limit 50000: with this vocabulary gender-bias has hardly more than 9");

    [Fact]
    public void The_published_prompts_are_read_where_they_are()
    {
        string folder = model.Path("data");
        Directory.CreateDirectory(Path.Combine(folder, "sva"));
        Cli.Run("reproduce", "ioi", "--model", "demo", "--data", folder).Fails(2, "there is no folder ioi in it", "gpt2.csv");
        Cli.Run("reproduce", "--study", "iio", "--model", "demo").Fails(2, "--study iio: no such value", "mib");
    }
}
