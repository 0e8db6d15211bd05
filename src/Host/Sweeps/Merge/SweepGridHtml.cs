using System.Globalization;
using System.Net;
using System.Text;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>A grid as a table of the page.</summary>
internal static class SweepGridHtml
{
    /// <summary>The table.</summary>
    /// <param name="grid">The grid.</param>
    /// <param name="isShaded">Whether cells are shaded from 0 to 1, as a heat map.</param>
    public static string Of(SeedGrid grid, bool isShaded)
    {
        StringBuilder html = new();
        html.Append($"<div class=\"table-scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{Encode(grid.Key.Title)}\"><table>\n");
        html.Append("<thead><tr>");
        html.Append($"<th>{Encode(grid.Key.Heads.Row)}</th>");
        foreach (string column in grid.Columns) html.Append($"<th class=\"number\">{Encode(column)}</th>");
        html.Append("</tr></thead>\n<tbody>\n");
        foreach (string row in grid.Rows)
        {
            html.Append($"<tr><th>{Encode(row)}</th>");
            foreach (string column in grid.Columns) Cell(html, grid, row, column, isShaded);
            html.Append("</tr>\n");
        }
        return html.Append("</tbody>\n</table></div>\n").ToString();
    }

    private static void Cell(StringBuilder html, SeedGrid grid, string row, string column, bool isShaded)
    {
        (string mean, string? half, string? remark) = grid.Texts(row, column);
        string shade = "";
        if (isShaded && grid.Cell(row, column) is { Count: > 0 } cell)
        {
            // Where text has to be light on a light page is not where it has to be dark on a dark one.
            double share = Math.Clamp(cell.Mean, 0, 1);
            string ink = share > 0.68 ? " full" : share > 0.5 ? " middle" : "";
            shade = string.Create(CultureInfo.InvariantCulture, $" heat{ink}\" style=\"--share: {share:0.###}");
        }
        html.Append($"<td class=\"number{shade}\">{(grid.IsBest(row, column) ? $"<b>{Encode(mean)}</b>" : Encode(mean))}");
        if (half is not null) html.Append($" <span class=\"half\">± {Encode(half)}</span>");
        if (remark is not null) html.Append($" <span class=\"half\">({Encode(remark)})</span>");
        html.Append("</td>");
    }

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
