using System.Globalization;
using System.Xml.Linq;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Commands;
using Gradpath.Host.Reports;
using Gradpath.Host.Reports.Csv;

namespace Gradpath.Host.Tests;

public sealed class CurveTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Fact]
    public void Curves_are_shown_written_and_drawn()
    {
        string eap = Score("eap"), random = Score("random"), csv = model.Path("curve.csv"), svg = model.Path("curve.svg");
        Cli run = Run("--scores", $"{eap},{random}", "--fractions", "0.1,0.3,0.6,1", "--out", csv, "--picture", svg)
            .Succeeds("eap", "random", "CPR", "CMD", "A eap, B random", "10 %", "100 %", "by |score|", csv, svg, "time: load", "46 edges");
        string[][] rows = [.. File.ReadAllLines(csv).Select(l => l.Split(','))];
        const string Heads = "method,fraction,edges,edges_after_prune,faithfulness,low,high,ranking,task,";
        Assert.StartsWith(Heads, string.Join(',', rows[0]), StringComparison.Ordinal);
        Assert.Equal(2 * 2 * 4, rows.Length - 1);
        Assert.All(rows.Skip(1).Where(r => r[1] == "1"), r => Assert.Equal(("46", "46", 1.0), (r[2], r[3], Math.Round(Number(r[4]), 5))));
        Assert.Equal(["4", "13", "27", "46"], rows.Skip(1).Take(4).Select(r => r[2]));
        foreach (string method in new[] { "eap", "random" })
        {
            double[] f = [.. rows.Where(r => r[0] == method && r[7] == "signed").Select(r => Number(r[4]))];
            double[] g = [.. rows.Where(r => r[0] == method && r[7] == "absolute").Select(r => Math.Abs(1 - Number(r[4])))];
            double Area(double[] y) => (0.1 * (y[0] + y[1])) + (0.15 * (y[1] + y[2])) + (0.2 * (y[2] + y[3]));
            Assert.Matches($@"{method}\s+{Escaped(Area(f))}\s+{Escaped(Area(g))}", run.Out);
        }
        XDocument picture = XDocument.Load(svg);
        Assert.Equal(2, picture.Descendants().Count(e => (string?)e.Attribute("fill-opacity") == "0.12"));

        // The report takes the curves by absolute score from it.
        Assert.Equal([0.1, 0.3, 0.6, 1], ReportCsv.ReadCurves(csv)["eap"].Select(p => p.Fraction));
        Cli.Run("report", "--scores", $"{eap},{random}", "--curve", csv, "--out", model.Path("report.html")).Succeeds();
    }

    [Fact]
    public void Sizes_and_selection_have_their_defaults_and_alternatives()
    {
        string csv = model.Path("defaults.csv");
        Run("--scores", Score("eap"), "--out", csv).Succeeds("largest scores");
        Assert.Equal(2 * 10, File.ReadAllLines(csv).Length - 1);
        Run("--scores", Score("eap"), "--greedy", "--fractions", "0.5", "--ablation", "zero", "--metric", "prob-diff").Succeeds(
            "greedy", "ablation zero", "metric prob-diff", "50 %");
    }

    [Theory]
    [InlineData("--fractions 0", "--fractions 0")]
    [InlineData("--fractions 0.5,1.5", "--fractions 0.5,1.5")]
    [InlineData("--fractions some", "--fractions some: 'some' is not a number")]
    [InlineData("--out c.txt", "--out c.txt", ".csv")]
    [InlineData("--picture c.png", "--picture c.png", ".svg")]
    [InlineData("--picture nowhere/c.svg", "--picture", "does not exist")]
    [InlineData("--ablation none", "--ablation none")]
    public void A_wrong_option_is_named(string options, params string[] mentions) =>
        Cli.Run(["curve", "--scores", "s.json", "--model", "nothing", "--data", "p.jsonl", .. options.Split(' ')]).Fails(2, mentions);

    [Fact]
    public void What_cannot_be_measured_is_explained()
    {
        Run("--scores", model.Path("missing.json")).Fails(1, "missing.json", "no such file");
        ComputationGraph other = new(3, 2);
        ScoreFile.Write(model.Path("other.json"), new EdgeScores(other, new float[other.Writers * other.Readers]));
        Run("--scores", model.Path("other.json")).Fails(1, "other.json", "3 layers x 2 heads");
        Run("--scores", $"{Score("eap")},{Score("eap")}").Fails(2, "--scores", "appears twice");
        string data = model.Path("same.jsonl");
        File.WriteAllText(data, """{"clean_ids":[1,2,3],"corrupted_ids":[1,2,3],"answer_ids":[3],"wrong_answer_ids":[4]}""");
        Cli same = Cli.Run("curve", "--model", model.ModelDirectory, "--data", data, "--scores", Score("eap"));
        Assert.Equal(1, same.ExitCode);
        Assert.Contains("no faithfulness", same.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_plot_shows_zero_and_one_and_what_lies_outside()
    {
        NamedCurve[] curves =
        [
            new("first", new SparsityCurve(false, [Point(.01, -.5), Point(.1, .5), Point(1, 1)])),
            new("second", new SparsityCurve(false, [Point(.01, 0), Point(.1, .5), Point(1, 1)])),
        ];
        using StringWriter text = new() { NewLine = "\n" };
        CurvePlot.Write(text, curves);
        string[] lines = text.ToString().Split('\n');
        Assert.StartsWith("       1 |....", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("*", lines[0], StringComparison.Ordinal);
        Assert.Equal("         |" + new string(' ', 30) + "*", lines[4]);
        Assert.StartsWith("       0 |B...", lines[8], StringComparison.Ordinal);
        Assert.Equal("    -0.5 |A", lines[12]);
        Assert.Contains("A first, B second, * several", text.ToString(), StringComparison.Ordinal);
    }

    private static SparsityPoint Point(double fraction, double f) => new(fraction, 1, 1, f, f, f);

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static string Escaped(double value) =>
        Sizes.Number(value).Replace(".", @"\.", StringComparison.Ordinal).Replace("+", @"\+", StringComparison.Ordinal);

    private Cli Run(params string[] options) =>
        Cli.Run(["curve", "--model", model.ModelDirectory, "--data", model.Pairs, "--threads", "1", .. options]);

    private string Score(string method)
    {
        string file = model.Path($"{method}.json");
        Cli.Run("score", "--model", model.ModelDirectory, "--data", model.Pairs, "--method", method, "--threads", "1", "--out", file)
            .Succeeds();
        return file;
    }
}
