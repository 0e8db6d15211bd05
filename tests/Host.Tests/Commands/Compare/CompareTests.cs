using System.Text.Json.Nodes;

namespace Gradpath.Host.Tests;

public sealed class CompareTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Fact]
    public void Circuits_are_compared()
    {
        string small = model.Circuit("small.json", 10, "--no-prune"), large = model.Circuit("large.json", 20, "--no-prune");
        Cli run = Cli.Run("compare", "--circuit", small, "--with", large).Succeeds("precision", "recall", "Jaccard");
        Assert.Matches(@"edges\s+10\s+20\s+10\s+1\.000\s+0\.500\s+0\.667\s+0\.500", run.Out);
        Assert.Contains("MLPs left out", Cli.Run("compare", "--circuit", small, "--with", large, "--without-mlps").Succeeds().Out,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Scores_rank_their_own_circuit_first()
    {
        string curve = model.Path("roc.csv");
        Cli run = Cli.Run("compare", "--scores", model.Scores(), "--with", model.Circuit("own.json", 15, "--no-prune"), "--roc", curve)
            .Succeeds("15 of 46 edges", "area under the ROC curve: 1.000", curve);
        Assert.Matches(@"15\s+\S+\s+15\s+1\.000\s+1\.000\s+1\.000\s+0\.000", run.Out);
        string[] lines = File.ReadAllLines(curve);
        Assert.Equal("threshold,edges,shared,false_positive_rate,true_positive_rate", lines[0]);
        Assert.Equal("inf,0,0,0,0", lines[1]);
        Assert.EndsWith(",46,15,1,1", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void The_published_scores_are_compared_with_the_circuits_found_by_hand()
    {
        string scores = RepositoryFiles.Data("circuits/ioi-eap-ig.json");
        Cli.Run("compare", "--scores", scores, "--with", "ioi").Succeeds("963 of 32,491 edges", "area under the ROC curve");
        Cli.Run("compare", "--scores", scores, "--with", "greater-than").Succeeds("235 of 32,491 edges");
        Assert.Matches(@"edges\s+756\s+963\s+", Cli.Run("compare", "--circuit", scores, "--with", "ioi").Succeeds().Out);
    }

    [Theory]
    [InlineData("--with ioi", "--circuit or --scores")]
    [InlineData("--circuit a.json --scores b.json --with ioi", "--circuit or --scores")]
    [InlineData("--circuit a.json", "--with is needed")]
    [InlineData("--circuit a.json --with chess", "--with chess", "ioi and greater-than")]
    [InlineData("--circuit a.json --with ioi --roc r.csv", "--roc does not apply")]
    [InlineData("--scores a.json --with ioi --roc r.txt", "--roc", ".csv")]
    [InlineData("--scores a.json --with ioi --table t.csv", "--table goes with --files")]
    [InlineData("--circuit a.json --with ioi --signed", "--signed goes with --files")]
    [InlineData("a.json", "--files a.json: name two or more")]
    [InlineData("a.json b.json --with ioi", "--files compares files with each other")]
    [InlineData("a.json b.json --picture p.png", "--picture", ".svg or .html")]
    public void A_wrong_option_is_named(string options, params string[] mentions) =>
        Cli.Run(["compare", .. options.Split(' ')]).Fails(2, mentions);

    [Fact]
    public void What_cannot_be_compared_is_an_error()
    {
        string own = model.Circuit("c.json", 5, "--no-prune");
        Cli.Run("compare", "--circuit", own, "--with", "ioi").Fails(1, "2 layers x 2 heads", "12 layers x 12 heads");
        Cli.Run("compare", "--scores", own, "--with", "ioi").Fails(1, "2 layers x 2 heads", "12 layers x 12 heads");
        Cli.Run("compare", "--circuit", model.Scores(), "--with", own).Fails(1, "no circuit", "gradpath circuit");
        Cli.Run("compare", "--circuit", own, "--with", model.Path("none.json")).Fails(1, "none.json", "no such file");
        Cli.Run("compare", "--scores", model.Scores(), "--with", model.Circuit("full.json", 46, "--no-prune")).Fails(1, "46 of 46 edges");
    }

    [Fact]
    public void Many_files_are_compared_with_each_other()
    {
        string small = model.Circuit("small.json", 10, "--no-prune"), large = model.Circuit("large.json", 20, "--no-prune");
        string json = model.Path("matrices.json"), table = model.Path("matrices.csv"), page = model.Path("matrices.html");
        Cli run = Cli.Run("compare", small, large, model.Scores(), "--out", json, "--table", table, "--picture", page)
            .Succeeds("Jaccard index of edges", "Spearman of scores");
        Assert.Contains("marks no circuit", run.Error, StringComparison.Ordinal);
        JsonNode matrices = JsonNode.Parse(File.ReadAllText(json))!;
        double?[] Row(string kind, int row) => [.. matrices[kind]![row]!.AsArray().Select(v => v?.GetValue<double>())];
        Assert.Equal([1, 0.5, null], Row("jaccard", 0));
        Assert.Equal([2 / 3.0, 1, null], Row("f1", 1).Select(v => v));

        // All three have the same scores.
        Assert.All(Row("spearman", 2), v => Assert.Equal(1, v!.Value, 9));
        string[] lines = File.ReadAllLines(table);
        Assert.Equal("a,b,edges_a,edges_b,shared,jaccard,f1,spearman", lines[0]);
        Assert.Equal(10, lines.Length);
        Assert.StartsWith($"{small},{large},10,20,10,0.5,0.66", lines[2], StringComparison.Ordinal);
        Assert.StartsWith($"{small},{model.Scores()},10,,,,,", lines[3], StringComparison.Ordinal);
        string html = File.ReadAllText(page);
        Assert.Contains("<svg", html, StringComparison.Ordinal);
        Assert.Contains("<td class=\"number\">0.667</td>", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Circuits_are_cut_from_scores_where_asked_and_ranks_are_compared()
    {
        string scores = model.Scores(), csv = model.Path("turned.csv"), turned = model.Path("turned.json");
        Cli.Run("convert", scores, "--out", csv).Succeeds();
        File.WriteAllLines(csv, File.ReadAllLines(csv).Select((l, i) => i == 0 ? l : l.Contains(",-", StringComparison.Ordinal)
            ? l.Replace(",-", ",", StringComparison.Ordinal) : l.Replace(",", ",-", StringComparison.Ordinal)));
        Cli.Run("convert", csv, "--out", turned).Succeeds();
        string picture = model.Path("matrices.svg"), json = model.Path("signed.json");
        Cli.Run("compare", scores, turned, "--top-n", "12", "--out", json).Succeeds();
        Assert.Equal(1, JsonNode.Parse(File.ReadAllText(json))!["spearman"]![0]![1]!.GetValue<double>(), 9);
        Assert.Equal(1, JsonNode.Parse(File.ReadAllText(json))!["jaccard"]![0]![1]!.GetValue<double>());
        Cli.Run("compare", scores, turned, "--signed", "--out", json, "--picture", picture).Succeeds();
        Assert.Equal(-1, JsonNode.Parse(File.ReadAllText(json))!["spearman"]![1]![0]!.GetValue<double>(), 9);
        Assert.StartsWith("<svg", File.ReadAllText(picture), StringComparison.Ordinal);
    }

    [Fact]
    public void Files_of_other_models_are_refused()
    {
        string own = model.Circuit("own-shape.json", 5, "--no-prune");
        Cli.Run("compare", own, "ioi").Fails(1, "ioi: belongs to a model of 12 layers x 12 heads", "2 layers x 2 heads");
        Cli.Run("compare", "greater-than", "ioi").Warns("was made for another task", "Jaccard index of edges");
        Cli.Run("compare", own, model.Path("none.json")).Fails(1, "none.json", "no such file");
        Cli.Run("compare", own, model.Scores(), "--top-n", "99").Fails(2, "--top-n 99", "46 edges");
    }
}
