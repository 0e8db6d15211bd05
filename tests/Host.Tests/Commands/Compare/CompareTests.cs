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
}
