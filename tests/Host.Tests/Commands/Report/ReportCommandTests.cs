using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Tests;

public sealed class ReportCommandTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly string _eap;
    private readonly string _page;

    public ReportCommandTests()
    {
        _eap = Save("eap.json", "eap", 1);
        _page = _folder["report.html"];
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_report_holds_scores_paths_and_curves_of_several_files()
    {
        string gp = Save("gp.safetensors", "eap-gp", 2);
        string path = Text("p.csv",
            "method,item,step,metric,gradient_norm,output_distance,distance_from_clean,distance_from_corrupted,start\n"
            + "eap-gp,0,0,1,12.5,3,0,1,clean\n");
        string curve = Text("c.csv", "faithfulness,method,fraction,edges,edges_after_prune,low,high,other\n0.75,eap,0.5,40,39,,,x\n");
        Cli.Run(
            "report", "--scores", $"{_eap},{gp}", "--path", path, "--curve", curve, "--out", _page, "--title", "Two <methods>").Succeeds(
            "report of eap, eap-gp: ");
        string page = File.ReadAllText(_page);
        Assert.Contains("<h1>Two &lt;methods&gt;</h1>", page, StringComparison.Ordinal);
        Assert.Contains(
            "\"path\":[{\"step\":0,\"items\":1,\"norm\":[12.5,null,null],\"distance\":[3,null,null]}]", page, StringComparison.Ordinal);
        const string Curve = """[{"fraction":0.5,"edges":40,"edgesAfterPrune":39,"faithfulness":0.75,"low":null,"high":null}]""";
        Assert.Contains("\"curve\":" + Curve, page, StringComparison.Ordinal);
    }

    [Fact]
    public void Score_files_of_one_method_go_by_their_names()
    {
        string again = Save("other.json", "eap", 3);
        string path = Text("other.csv",
            "method,item,step,metric,gradient_norm,output_distance,distance_from_clean,distance_from_corrupted\neap,0,0,1,1,1,1,1\n");
        Cli.Run("report", "--scores", $"{_eap},{again}", "--path", path, "--out", _page).Succeeds("report of eap, other: ");
    }

    [Fact]
    public void A_training_log_needs_no_scores()
    {
        const string Heads = "method,step,kl,edge_loss,node_loss,edge_target,edge_sparsity,node_target,node_sparsity";
        string log = Text("t.csv", $"{Heads}\nplain,0,0.5,0,0,0.5,0.25,0,0\n");
        Cli.Run("report", "--scores", _eap, "--training", log, "--out", _page).Succeeds("report of eap: ");
        string logs = "'logs':[{'name':'plain','training':[{'from':0,'to':0,'kl':0.5,".Replace('\'', '"');
        Assert.Contains(logs, File.ReadAllText(_page), StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_options_are_named()
    {
        Cli.Run("report", "--out", _page).Fails(2, "--scores is needed");
        Cli.Run("report", "--scores", _eap, "--out", _folder["report.pdf"]).Fails(2, "--out", ".html");
        Cli.Run("report", "--scores", _eap, "--out", _folder["nowhere/report.html"]).Fails(2, "--out", "does not exist");
        Cli.Run("report", "--scores", _eap, "--out", _page, "--top-n", "-1").Fails(2, "--top-n -1");
        Cli.Run("draw", "--scores", _eap, "--out", _folder["c.png"]).Fails(2, "--out", ".svg, .dot or .html");
        Cli.Run("draw", "--out", _folder["c.svg"]).Fails(2, "--circuit or --scores");
        Cli.Run("draw", "--scores", _eap, "--circuit", _eap, "--out", _folder["c.svg"]).Fails(2, "--circuit or --scores");
        Cli.Run("draw", "--circuit", _eap, "--top-n", "3", "--out", _folder["c.svg"]).Fails(2, "--top-n");
        Cli.Run("draw", "--scores", _eap, "--top-n", "-3", "--out", _folder["c.svg"]).Fails(2, "--top-n -3");
    }

    [Fact]
    public void Files_that_cannot_be_used_are_named()
    {
        Cli.Run("report", "--scores", _folder["none.json"], "--out", _page).Fails(1, "none.json: there is no such file");
        Cli.Run("report", "--scores", _eap, "--path", _folder["none.csv"], "--out", _page).Fails(1, "none.csv: there is no such file");
        string columns = Text("columns.csv", "method,fraction\neap,1\n");
        Cli.Run("report", "--scores", _eap, "--curve", columns, "--out", _page).Fails(1, "columns.csv", "edges is missing");
        string number = Text("number.csv", "method,fraction,edges,edges_after_prune,faithfulness\neap,1,ten,9,1\n");
        Cli.Run("report", "--scores", _eap, "--curve", number, "--out", _page).Fails(1, "number.csv, line 2", "edges is \"ten\"");
        string start = Text("start.csv", "method,item,step,metric,gradient_norm,output_distance,distance_from_clean,"
            + "distance_from_corrupted,start\neap,0,0,1,1,1,1,1,halfway\n");
        Cli.Run("report", "--scores", _eap, "--path", start, "--out", _page).Fails(
            1, "start.csv, line 2: start is \"halfway\"; clean or corrupted is needed");
        string method = Text("method.csv", "method,fraction,edges,edges_after_prune,faithfulness\nexact,1,10,9,1\n");
        Cli.Run("report", "--scores", _eap, "--curve", method, "--out", _page).Fails(1, "method.csv: is about 'exact'", "eap");
        Cli.Run("report", "--scores", _eap, "--curve", Text("empty.csv", "method,fraction,edges,edges_after_prune,faithfulness\n"), "--out",
            _page).Fails(1, "holds no record");
        Cli.Run("draw", "--circuit", _eap, "--out", _folder["c.svg"]).Fails(1, "eap.json", "no circuit");
        Cli.Run("draw", "--scores", _eap, "--top-n", "999999", "--out", _folder["c.svg"]).Fails(2, "--top-n 999999: must be at most");
        Assert.False(File.Exists(_page));
    }

    [Theory]
    [InlineData("c.svg", "<svg ")]
    [InlineData("c.dot", "digraph ")]
    [InlineData("c.html", "<!DOCTYPE html>")]
    public void Draw_writes_what_the_extension_names(string file, string start)
    {
        Circuit circuit = CircuitPruning.Prune(CircuitSelection.TopEdges(ScoreFile.Read(_eap), 100));
        Cli.Run("draw", "--scores", _eap, "--top-n", "100", "--out", _folder[file]).Succeeds(
            $"{circuit.EdgeCount} edges of 100 before pruning, {circuit.NodeCount} nodes: ");
        Assert.StartsWith(start, File.ReadAllText(_folder[file]), StringComparison.Ordinal);
        CircuitFile.Write(_folder["circuit.json"], circuit);
        Cli.Run("draw", "--circuit", _folder["circuit.json"], "--out", _folder["again" + Path.GetExtension(file)]).Succeeds(
            $"{circuit.EdgeCount} edges");
        if (file != "c.html") Assert.Equal(File.ReadAllText(_folder[file]), File.ReadAllText(_folder["again" + Path.GetExtension(file)]));
    }

    private string Save(string name, string method, int seed)
    {
        ScoreFile.Write(_folder[name], ReportSamples.Scores(4, 4, seed, new Provenance { Method = method, Task = "ioi", Model = "demo" }));
        return _folder[name];
    }

    private string Text(string name, string content)
    {
        File.WriteAllText(_folder[name], content);
        return _folder[name];
    }
}
