using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Reports;
using Gradpath.Host.Reports.Csv;
using Gradpath.Host.Reports.Pages;
using Gradpath.Host.Reports.Pictures;

namespace Gradpath.Host.Commands;

/// <summary>What a comparison of many files shows and writes.</summary>
internal static class FileMatricesReport
{
    private const string Title = "Files compared with each other";

    /// <summary>Adds the files and the matrices.</summary>
    /// <param name="report">Where to.</param>
    /// <param name="matrices">What to show.</param>
    public static void Describe(CommandReport report, FileMatrices matrices)
    {
        int[] places = [.. Enumerable.Range(0, matrices.Files.Count)];
        report.Table(ReportTable.Of("files", places)
            .Shows("", Number, right: true)
            .Text("file", "file", i => matrices.Files[i].Path)
            .Count("edges", "n_edges", i => matrices.Files[i].Circuit?.EdgeCount)
            .Text("method", "method", i => matrices.Files[i].Given.Made?.Method)
            .Hidden("has_scores", i => matrices.Files[i].HasScores));
        foreach ((string title, _, var value) in FileMatrices.Kinds)
        {
            report.Plain(title);
            ReportTableOf<int> table = ReportTable.Of(title, places).Shows("", Number);
            foreach (int b in places) table.Shows(Number(b), a => Sizes.Ratio(value(matrices, a, b)));
            report.Show(table);
        }
        ReportTableOf<(int A, int B)> cells = ReportTable.Of("cells", matrices.Cells)
            .Hidden("a", c => matrices.Files[c.A].Path)
            .Hidden("b", c => matrices.Files[c.B].Path)
            .Hidden("shared", c => matrices.Shared(c.A, c.B));
        foreach ((_, string name, var value) in FileMatrices.Kinds) cells.Hidden(name, c => value(matrices, c.A, c.B));
        report.Data(cells);
    }

    /// <summary>Writes the matrices as a table; a file that exists is replaced, and only by a whole one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="matrices">What to write.</param>
    public static void WriteCsv(string path, FileMatrices matrices) => AtomicFile.Write(path, stream =>
    {
        using StreamWriter csv = new(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        csv.WriteLine($"a,b,edges_a,edges_b,shared,{string.Join(',', FileMatrices.Kinds.Select(k => k.Name))}");
        foreach ((int a, int b) in matrices.Cells)
        {
            csv.WriteLine(string.Join(',',
            [
                ProvenanceColumns.Cell(matrices.Files[a].Path), ProvenanceColumns.Cell(matrices.Files[b].Path),
                $"{matrices.Files[a].Circuit?.EdgeCount}", $"{matrices.Files[b].Circuit?.EdgeCount}", $"{matrices.Shared(a, b)}",
                .. FileMatrices.Kinds.Select(k => Text(k.Value(matrices, a, b))),
            ]));
        }
    });

    /// <summary>Writes the matrices as JSON; a file that exists is replaced, and only by a whole one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="matrices">What to write.</param>
    public static void WriteJson(string path, FileMatrices matrices)
    {
        int[] places = [.. Enumerable.Range(0, matrices.Files.Count)];
        JsonObject json = new()
        {
            ["files"] = new JsonArray([.. matrices.Files.Select(f =>
            {
                JsonObject file = f.Given.ToJson();
                file["n_edges"] = f.Circuit?.EdgeCount;
                return file;
            })]),
        };
        foreach ((_, string name, var value) in FileMatrices.Kinds)
            json[name] = ReportJson.Node(places.Select(a => places.Select(b => value(matrices, a, b)).ToArray()).ToArray());
        json["version"] = Provenance.ProgramVersion;
        ResultJson.Write(path, json);
    }

    /// <summary>Draws the matrices: <c>.svg</c>, or a page with the files and the numbers below the drawing.</summary>
    /// <param name="path">The file, which ends in <c>.svg</c> or <c>.html</c>.</param>
    /// <param name="matrices">What to draw.</param>
    public static void Draw(string path, FileMatrices matrices)
    {
        string svg = HeatMap.Draw(Title, [.. matrices.Files.Select(f => f.Name)], "rows and columns: the files",
            [.. FileMatrices.Kinds.Select(k => new[] { new HeatMapPanel(k.Title, (a, b) => k.Value(matrices, a, b)) })]);
        if (AtomicFile.Extension(path, ofStreams: ".svg") == ".html")
        {
            string files = PlainPage.Table(
                ["file", "method", "edges"], 2, matrices.Files.Select(f => (IReadOnlyList<string>)
                    [f.Path, f.Given.Made?.Method ?? "", f.Circuit is { } c ? Sizes.Count(c.EdgeCount) : "-"]));
            string cells = PlainPage.Table(
                ["file", "other", "shared edges", .. FileMatrices.Kinds.Select(k => k.Title)], 2,
                matrices.Cells.Where(c => c.A < c.B).Select(c => (IReadOnlyList<string>)
                [
                    matrices.Files[c.A].Name, matrices.Files[c.B].Name, matrices.Shared(c.A, c.B) is { } n ? Sizes.Count(n) : "-",
                    .. FileMatrices.Kinds.Select(k => Sizes.Ratio(k.Value(matrices, c.A, c.B))),
                ]));
            AtomicFile.Write(path, PlainPage.Of(Title, $"{svg}{files}{cells}"));
        }
        else AtomicFile.Write(path, svg);
    }

    private static string Number(int place) => (place + 1).ToString(CultureInfo.InvariantCulture);

    private static string Text(double value) => double.IsFinite(value) ? value.ToString("R", CultureInfo.InvariantCulture) : "";
}
