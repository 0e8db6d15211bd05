using System.Net;
using System.Text;
using Gradpath.Host.Reports.Pages;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>The page of a sweep: one file without script, whose content policy forbids the network.</summary>
internal static class SweepPage
{
    /// <summary>The page's text.</summary>
    /// <param name="input">The sweep.</param>
    /// <param name="table">Its table.</param>
    /// <param name="grids">Its grids.</param>
    public static string Of(MergeInput input, SweepTable table, IReadOnlyList<SeedGrid> grids)
    {
        MergeInput ordered = input.Ordered();
        StringBuilder body = new();
        Card(body, "Sweep", "", Facts(SweepSummary.Facts(input)));
        Card(body, "Failed units", "gradpath sweep retry forgets failures: the next run computes these units again.", Failures(ordered));
        Card(body, "Curves", "Lines: means over seeds. Bands: 95 % intervals of the mean (Student's t over seeds), where there are two "
            + "seeds or more. Faithfulness is 1 for the whole model and 0 with all edges ablated.", Curves(ordered, grids));
        Card(body, "CMD and CPR",
            "A method per row, a task per column; the stronger the colour, the larger the value (CMD is better where it is small).",
            Grids(grids, GridKind.Area, true));
        Card(body, "Measures by size", "", Folded(grids, GridKind.Curve, false) + Folded(grids, GridKind.Circuit, false));
        Card(body, "Overlap of edges", "What circuits of two methods share: the stronger the colour, the more.",
            Folded(grids, GridKind.Overlap, true));
        Card(body, "Stability", "How far scores and strongest edges stay the same when other prompts are drawn.",
            Grids(grids, GridKind.Stability, true));
        Card(body, "Transfer between tasks", "Rows are circuits of a task, columns the prompts that judge them.",
            Folded(grids, GridKind.Transfer, true));
        Card(body, "Units", "", Units(ordered));
        Card(body, "Columns of the table", "What table.csv and table.parquet hold, a row per unit and size.", Wrapped(PlainPage.Table(
            ["column", "unit", "meaning"], 3, table.Columns.Select(c => (string[])[c.Name, c.Unit, c.Meaning]))));
        Card(body, "Provenance", "", Provenance(ordered));
        return $$"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
            <meta name="generator" content="gradpath">
            <link rel="icon" href="data:,">
            <title>{{Encode(input.Plan.Name)}}</title>
            <style>
            {{SweepPageStyle.Sheet()}}</style>
            </head>
            <body>
            <header class="top"><div class="top-inner"><h1>{{Encode(input.Plan.Name)}}</h1></div></header>
            <main>
            {{body}}</main>
            </body>
            </html>

            """;
    }

    private static void Card(StringBuilder body, string title, string note, string content)
    {
        if (content.Length == 0) return;
        body.Append($"<section class=\"card\">\n<h2>{Encode(title)}</h2>\n");
        if (note.Length > 0) body.Append($"<p class=\"note\">{Encode(note)}</p>\n");
        body.Append(content).Append("</section>\n");
    }

    private static string Facts(IEnumerable<KeyValuePair<string, string>> facts)
    {
        StringBuilder html = new("<dl class=\"facts\">\n");
        foreach ((string name, string value) in facts) html.Append($"<div><dt>{Encode(name)}</dt><dd>{Encode(value)}</dd></div>\n");
        return html.Append("</dl>\n").ToString();
    }

    private static string Failures(MergeInput input) => input.Failed.Count == 0 ? "" : Wrapped(PlainPage.Table(
        ["unit", "key", "reason"], 3,
        input.Failed.Select(f => (string[])[f.Unit.Title, f.Unit.Key, f.Error])));

    private static string Curves(MergeInput input, IReadOnlyList<SeedGrid> grids)
    {
        Dictionary<string, int> edges = [];
        foreach ((SweepUnit unit, UnitResult result) in input.Done) edges.TryAdd(unit.Model, result.GraphEdges);
        IEnumerable<GridKey> keys = grids.Select(g => g.Key)
            .Where(k => k.Kind is GridKind.Curve or GridKind.Circuit
                && (k.Measure == SweepMeasure.Faithfulness || k.Measure == SweepMeasure.Kl))
            .Select(k => k with { Size = null }).Distinct();
        string[] methods =
            [.. grids.Where(g => g.Key.Kind is GridKind.Curve or GridKind.Circuit).SelectMany(g => g.Rows).Distinct()];
        StringBuilder html = new();
        foreach (GridKey key in keys)
        {
            (string Task, string Picture)[] charts = [.. SweepCharts.Of(grids, key, edges[key.Scope.Model], methods)];
            if (charts.Length == 0) continue;
            string what = key.Kind == GridKind.Curve ? "curve by absolute score" : "circuits that fill a size, or were searched for";
            html.Append($"<h3>{Encode($"{key.Measure.Name}, {what}; {key.Scope.Title}")}</h3>\n<div class=\"chart-pair\">\n");
            foreach ((string task, string picture) in charts)
                html.Append($"<div><h3>{Encode(task)}</h3><div class=\"chart\" tabindex=\"0\">{picture}</div></div>\n");
            html.Append("</div>\n");
        }
        return html.ToString();
    }

    private static string Grids(IEnumerable<SeedGrid> grids, GridKind kind, bool isShaded)
    {
        StringBuilder html = new();
        foreach (SeedGrid grid in grids.Where(g => g.Key.Kind == kind))
        {
            html.Append($"<h3>{Encode(grid.Key.Title)}</h3>\n<p class=\"note\">{Encode(grid.Caption)}</p>\n")
                .Append(SweepGridHtml.Of(grid, isShaded));
        }
        return html.ToString();
    }

    // The first is open, so that a reader sees what there is.
    private static string Folded(IEnumerable<SeedGrid> grids, GridKind kind, bool isShaded)
    {
        StringBuilder html = new();
        foreach (SeedGrid grid in grids.Where(g => g.Key.Kind == kind))
        {
            string title = Encode($"{grid.Key.Title}; {grid.Key.Scope.Title}"), open = html.Length == 0 ? " open" : "";
            html.Append($"<details{open}><summary>{title}</summary>\n");
            html.Append($"<p class=\"note\">{Encode(grid.Caption)}</p>\n").Append(SweepGridHtml.Of(grid, isShaded)).Append("</details>\n");
        }
        return html.ToString();
    }

    private static string Units(MergeInput input)
    {
        if (input.Done.Count == 0) return "";
        StringBuilder html = new($"<details><summary>{Encode(Sizes.Of(input.Done.Count, "finished unit"))}</summary>\n");
        html.Append("<div class=\"table-scroll\" tabindex=\"0\" role=\"region\" aria-label=\"units\"><table>\n<thead><tr><th>unit</th>"
            + "<th>metric</th><th>ablation</th><th class=\"number\">CMD</th><th class=\"number\">CPR</th><th class=\"number\">passes</th>"
            + "<th class=\"number\">time</th><th>files</th></tr></thead>\n<tbody>\n");
        foreach ((SweepUnit unit, UnitResult result) in input.Done)
        {
            string passes = double.IsFinite(result.Passes) ? Sizes.Count((long)Math.Round(result.Passes)) : "-";
            html.Append($"<tr><th>{Encode(unit.Title)}</th><td>{Encode(unit.Metric)}</td><td>{Encode(EnumNames.Of(unit.Ablation))}</td>")
                .Append($"<td class=\"number\">{Sizes.Ratio(result.Cmd ?? double.NaN)}</td>")
                .Append($"<td class=\"number\">{Sizes.Ratio(result.Cpr ?? double.NaN)}</td>")
                .Append($"<td class=\"number\">{passes}</td><td class=\"number\">{Sizes.Seconds(result.Seconds)}</td><td>")
                .AppendJoin(", ", (input.FilesOf?.Invoke(unit) ?? []).Select(Link)).Append("</td></tr>\n");
        }
        return html.Append("</tbody>\n</table></div></details>\n").ToString();
    }

    // Every part of the path is encoded, so that it cannot name another scheme.
    private static string Link(UnitFile file) =>
        $"<a href=\"{Encode(string.Join('/', file.Path.Split('/').Select(Uri.EscapeDataString)))}\">{Encode(file.Name)}</a>";

    private static string Provenance(MergeInput input)
    {
        SweepTableRow[] rows = [.. input.Done.Where(d => d.Unit.Part is null).Select(d => new SweepTableRow(d.Unit, d.Result, null))];
        if (rows.Length == 0) return "";
        DateTime[] times = [.. rows.Select(r => r.Created).OfType<DateTime>()];
        List<KeyValuePair<string, string>> facts =
            [new("plan's evaluations", string.Join(", ", SweepExpansion.Flags(input.Plan.Evaluate)))];
        if (times.Length > 0) facts.Add(new("computed", $"{Text(times.Min())} to {Text(times.Max())}"));
        facts.Add(new("time of all methods", Sizes.Seconds(rows.Sum(r => r.Result.Seconds))));
        facts.Add(new("time of judging", Sizes.Seconds(rows.Sum(r => r.Result.JudgeSeconds))));
        IEnumerable<string[]> models = rows.Select(r => (r.Unit.Model, Hash: r.Identity("model") ?? r.Made("model_hash") ?? "", Edges:
            r.Result.GraphEdges)).Distinct().Select(m => (string[])[m.Model, m.Hash, Sizes.Count(m.Edges)]);
        IEnumerable<string[]> prompts = rows.Select(r => (Task: r.Unit.Task.Name, r.Unit.Seed, r.Unit.Metric,
            Data: r.Made("data") ?? "", Hash: r.Identity("prompts") ?? r.Made("data_hash") ?? "", r.Result.TrainPairs, r.Result.JudgePairs))
            .Distinct().Select(p => (string[])[p.Task, p.Metric, p.Data, p.Hash, $"{p.Seed}", $"{p.TrainPairs}", $"{p.JudgePairs}"]);
        return Facts(facts) + Wrapped(PlainPage.Table(["model", "SHA-256 of the weights", "edges"], 2, models))
            + Wrapped(PlainPage.Table(
                ["prompts", "metric", "source", "SHA-256", "seed", "pairs to train", "pairs to judge"], 4, prompts));
    }

    private static string Text(DateTime time) => time.ToString(TimeColumn.Format, System.Globalization.CultureInfo.InvariantCulture);

    private static string Wrapped(string table) => $"<div class=\"table-scroll wrap\" tabindex=\"0\">{table}</div>\n";

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
