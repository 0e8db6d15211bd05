using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Graph.Exchange;

namespace Gradpath.Host.Tests;

/// <summary><c>gradpath convert</c>: kinds by file name and by option, what is lost, what is refused.</summary>
public sealed class ConvertTests(TinyModel model) : IClassFixture<TinyModel>
{
    public static TheoryData<string> Kinds => [.. GraphKinds.All.Where(k => !k.IsFolder).Select(k => k.Name)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_circuit_goes_into_every_kind_and_comes_back(string name)
    {
        GraphKind kind = GraphKinds.Find(name)!;
        string circuit = model.Circuit("there.json", 12, "--no-prune"), back = model.Path("back.json");
        string other = model.Path("there.x" + kind.Ending);
        Cli there = Cli.Run("convert", circuit, "--out", other).Succeeds($"{name}: {other}", "a circuit of 12 of 46 edges");
        bool says = there.Error.StartsWith($"note: {other}: {name} does not hold ", StringComparison.Ordinal);
        Assert.Equal(kind.Holds != GraphParts.All, says);
        Cli.Run("convert", other, "--layers", "2", "--heads", "2", "--out", back, "--to", "eap-ig").Succeeds();
        Assert.Equal(Circuit.Load(circuit).Edges, Circuit.Load(back).Edges);
        Cli again = Cli.Run("convert", "--in", circuit, "--out", other, "--strict");
        if (kind.Holds == GraphParts.All) again.Succeeds();
        else again.Fails(1, "does not hold", "--strict");
    }

    [Fact]
    public void Edges_between_spans_are_lost_and_that_is_said()
    {
        string scores = model.Path("spans.json"), plain = model.Path("plain.safetensors");
        Cli.Run("score", "--model", "demo", "--task", "ioi", "--limit", "2", "--method", "eap", "--positions", "spans", "--out", scores)
            .Succeeds();
        Cli run = Cli.Run("convert", scores, "--out", plain).Succeeds();
        Assert.Contains("safetensors does not hold edges between spans, only their sums", run.Error, StringComparison.Ordinal);
        Cli.Run("convert", "--in", scores, "--out", plain, "--strict").Fails(1, "edges between spans", "--strict");
    }

    [Fact]
    public void Scores_go_through_CSV_bit_by_bit()
    {
        string csv = model.Path("scores.csv"), back = model.Path("scores-back.safetensors");
        Cli.Run("convert", model.Scores(), "--out", csv).Succeeds("scores of 46 edges, 2 layers x 2 heads");
        Cli.Run("convert", csv, "--out", back).Succeeds();
        Assert.Equal(EdgeScores.Load(model.Scores()).Values, EdgeScores.Load(back).Values);
    }

    [Fact]
    public void Nine_files_are_one_folder_of_MIB_and_back()
    {
        string cut = model.Path("ioi_cut"), copy = model.Path("ioi_copy");
        Cli.Run("convert", model.Scores(), "--to", "mib", "--cut", "--out", cut).Succeeds("9 circuits");
        string[] files = Directory.GetFiles(cut);
        Cli.Run(["convert", .. files, "--to", "mib", "--out", copy]).Succeeds("9 circuits");
        Assert.Equal(files.Select(Path.GetFileName).Order(), Directory.GetFiles(copy).Select(Path.GetFileName).Order());
        foreach (string file in files)
            Assert.Equal(Circuit.Load(file).Edges, Circuit.Load(Path.Combine(copy, Path.GetFileName(file))).Edges);
        Cli.Run("convert", cut, "--out", model.Path("one.json")).Fails(1, "holds 9 circuits");
        Cli.Run("convert", cut, "--to", "mib", "--out", copy).Fails(2, "--out", "is a directory");
        Cli named = Cli.Run("convert", model.Scores(), "--to", "mib", "--out", model.Path("plain")).Succeeds();
        Assert.Contains("called by task and model", named.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Edges_that_were_not_scored_are_said()
    {
        string csv = model.Path("nan.csv");
        Cli.Run("convert", model.Scores(), "--out", csv).Succeeds();
        string[] lines = File.ReadAllLines(csv);
        lines[1] = lines[1].Split(',')[0] + ",NaN";
        File.WriteAllLines(csv, lines);
        Cli.Run("convert", csv, "--out", model.Path("nan.json")).Warns("1 of the 46 edges of", "eap-ig");
        string json = File.ReadAllText(model.Scores());
        int at = json.IndexOf("\"score\":", json.IndexOf("\"edges\":", StringComparison.Ordinal), StringComparison.Ordinal) + 8;
        File.WriteAllText(model.Path("bare.json"), $"{json[..at]}NaN{json[json.IndexOf(',', at)..]}");
        Cli.Run("circuit", "--scores", model.Path("bare.json"), "--top-n", "30").Warns("1 of the 46 edges of", "selected");
    }

    [Fact]
    public void Torch_files_are_refused_with_the_Python_that_converts_them()
    {
        File.WriteAllText(model.Path("graph.pt"), "");
        Cli.Run("convert", model.Path("graph.pt"), "--out", model.Path("x.json"))
            .Fails(1, "from eap.graph import Graph; Graph.from_pt(\"", "graph.pt\").to_json(\"", "graph.json\")");
    }

    [Fact]
    public void What_a_name_does_not_say_is_asked_for()
    {
        string circuit = model.Circuit("named.json", 12, "--no-prune"), plain = model.Path("plain.json");
        Cli.Run("convert", circuit, "--to", "acdc", "--out", plain).Succeeds();
        Cli.Run("convert", plain, "--out", model.Path("y.csv"))
            .Fails(1, "It was read as eap-ig; --from says otherwise: acdc, auto-circuit");
        Cli.Run("convert", plain, "--from", "acdc", "--out", model.Path("y.csv"))
            .Fails(1, "lists 12 edges, not all of a model", "--layers and --heads");
        Assert.False(File.Exists(model.Path("y.csv")));
    }

    [Theory]
    [InlineData("--out b.csv", "--in is needed")]
    [InlineData("a.json --out b.txt", "--out b.txt", ".acdc.json")]
    [InlineData("a.txt --out b.csv", "--in a.txt", "--from KIND")]
    [InlineData("a.json --out b.csv --to cvs", "--to cvs", "did you mean csv?")]
    [InlineData("a.json --out b.csv --from acd", "--from acd", "did you mean acdc?")]
    [InlineData("a.json b.json --out b.csv", "a file of csv takes one graph", "--to mib")]
    [InlineData("a.json --out b.csv --cut", "--cut makes the nine circuits")]
    [InlineData("a.json --out - --to mib", "--out -", "is a folder")]
    [InlineData("a.json --out b.csv --layers 0", "--layers")]
    public void A_wrong_option_is_named(string options, params string[] mentions) =>
        Cli.Run(["convert", .. options.Split(' ')]).Fails(2, mentions);

    [Fact]
    public void The_documentation_has_a_row_for_every_kind()
    {
        string page = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs/file-formats.md"));
        foreach (GraphKind kind in GraphKinds.All)
        {
            string ending = kind.IsFolder ? "a folder" : kind.Ending;
            string lost = string.Join(", ", GraphContent.Words(GraphParts.All & ~kind.Holds));
            Assert.Contains($"\n| {ending} | `{kind}` | {kind.Title} | {lost} |\n", page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_commands_of_the_documentation_run()
    {
        using TempFolder folder = new();
        File.Copy(model.Scores(), folder["scores.json"]);
        File.Copy(model.Circuit("page.json", 12, "--no-prune"), folder["circuit.json"]);
        string[] commands = [.. File.ReadAllLines(Path.Combine(RepositoryFiles.Root, "docs/file-formats.md"))
            .Where(l => l.StartsWith("    ./gradpath convert ", StringComparison.Ordinal)).Select(l => l.Split('#')[0].Trim())];
        Assert.True(commands.Length > 4);
        foreach (string command in commands)
        {
            Cli.Run([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1)
                .Select(w => w is "12" ? "2" : w.Contains('.') || w.Contains('_') ? folder[w] : w)]).Succeeds();
        }
    }
}
