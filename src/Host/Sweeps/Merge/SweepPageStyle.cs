using System.Text;
using Gradpath.Gpt2Runtime.Drawing;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>
/// The style of the page: the report's, with its dark colours where the reader's system prefers them, and pictures in the page's colours.
/// </summary>
internal static class SweepPageStyle
{
    private const string DarkTheme = ":root[data-theme=\"dark\"] ";

    // Pictures are drawn for papers, on white: rules for their colours go before what the drawings say.
    private const string Own = """
        a { color: var(--accent); }
        h3 { margin-top: 12px; overflow-wrap: anywhere; }
        details { margin: 8px 0; }
        summary { cursor: pointer; overflow-wrap: anywhere; }
        .top { position: static; }
        .chart { max-width: 100%; overflow-x: auto; }
        .table-scroll { margin: 4px 0 14px; }
        .chart > svg { width: 100%; min-width: 440px; max-width: 560px; height: auto; }
        .wrap td { min-width: 11em; white-space: normal; overflow-wrap: anywhere; }
        .wrap th { color: var(--muted); font: inherit; }
        .half { color: var(--muted); font-size: 12px; }
        td.heat { background: color-mix(in srgb, var(--heat-2n) calc(var(--share) * 100%), var(--heat-0)); }
        td.heat.middle { color: light-dark(var(--ink), var(--page)); }
        td.heat.full { color: var(--page); }
        td.heat .half { color: inherit; }
        .chart [fill="#ffffff"] { fill: var(--panel); }
        .chart [stroke="#1c1f23"] { stroke: var(--muted); }
        .chart [stroke="#d5d9dd"] { stroke: var(--line); }

        """;

    private static readonly (string Drawn, string Shown)[] s_colours =
    [
        ("#0072b2", "var(--edge-q)"), ("#c85200", "var(--edge-k)"), ("#00805c", "var(--edge-v)"), ("#8a4f9e", "var(--edge-mlp)"),
        ("#4b535b", "var(--edge-logits)"), ("#b3446c", "light-dark(#b3446c, #ee93b4)"), ("#8c6d1f", "light-dark(#8c6d1f, #d9bc66)"),
        ("#3b9dd9", "light-dark(#3b9dd9, #9ad4f7)"),
    ];

    /// <summary>The style sheet.</summary>
    /// <exception cref="InvalidOperationException">The report's style has no dark colours.</exception>
    public static string Sheet()
    {
        using Stream stream = typeof(HtmlReport).Assembly.GetManifestResourceStream("Gradpath.Page.report.css")
            ?? throw new InvalidOperationException("no asset report.css");
        using StreamReader reader = new(stream, Encoding.UTF8);
        string report = reader.ReadToEnd();
        int open = report.IndexOf(DarkTheme, StringComparison.Ordinal), close = open < 0 ? -1 : report.IndexOf('}', open);
        if (close < 0) throw new InvalidOperationException("report.css has no dark theme");
        StringBuilder sheet = new(report);
        string dark = report[(open + DarkTheme.Length)..(close + 1)];
        sheet.Append($"\n@media (prefers-color-scheme: dark) {{\n:root {dark}\n}}\n");
        sheet.Append(Own);
        foreach ((string drawn, string shown) in s_colours)
            sheet.Append($".chart [stroke=\"{drawn}\"] {{ stroke: {shown}; }}\n.chart [fill=\"{drawn}\"] {{ fill: {shown}; }}\n");
        return sheet.ToString();
    }
}
