using System.Net;
using System.Text;

namespace Gradpath.Host.Reports.Pages;

/// <summary>A page of drawings and tables that needs neither script nor network; its content policy forbids both.</summary>
internal static class PlainPage
{
    /// <summary>The page.</summary>
    /// <param name="title">The heading, as text.</param>
    /// <param name="body">What stands below it, as HTML.</param>
    public static string Of(string title, string body) => $$"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
        <meta name="generator" content="gradpath">
        <link rel="icon" href="data:,">
        <title>{{WebUtility.HtmlEncode(title)}}</title>
        <style>
        body { margin: 24px; font: 15px/1.5 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; color: #1c1f23; }
        svg { max-width: 100%; height: auto; }
        table { border-collapse: collapse; }
        th, td { padding: 2px 12px; border-bottom: 1px solid #dddfe2; text-align: left; }
        td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
        p { max-width: 80ch; }
        </style>
        </head>
        <body>
        <h1>{{WebUtility.HtmlEncode(title)}}</h1>
        {{body}}</body>
        </html>

        """;

    /// <summary>A table.</summary>
    /// <param name="heads">Heads of the columns, as text.</param>
    /// <param name="text">Number of columns from the left that hold text; the others hold numbers and stand to the right.</param>
    /// <param name="rows">Rows of cells, as text.</param>
    public static string Table(IReadOnlyList<string> heads, int text, IEnumerable<IReadOnlyList<string>> rows)
    {
        StringBuilder table = new("<table>\n");
        Row(heads, "th");
        foreach (IReadOnlyList<string> row in rows) Row(row, "td");
        return table.Append("</table>\n").ToString();

        void Row(IReadOnlyList<string> cells, string kind)
        {
            table.Append("<tr>");
            for (int i = 0; i < cells.Count; i++)
                table.Append($"<{kind}{(i < text ? "" : " class=\"number\"")}>{WebUtility.HtmlEncode(cells[i])}</{kind}>");
            table.Append("</tr>\n");
        }
    }
}
