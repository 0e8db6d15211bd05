using System.Globalization;
using System.Text;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>Grids as LaTeX tables with the rules of the package booktabs, for <c>\input</c>.</summary>
internal static class SweepLatex
{
    // LaTeX gives up where more tables than some dozens wait for a page.
    private const int MostFloats = 12;

    /// <summary>The file's text.</summary>
    /// <param name="input">The sweep.</param>
    /// <param name="grids">Its grids.</param>
    public static string Of(MergeInput input, IReadOnlyList<SeedGrid> grids)
    {
        StringBuilder tex = new();
        tex.Append($"% {OneLine(SweepSummary.Line(input))}\n");
        tex.Append("% Needs \\usepackage{booktabs}; a wide table fits with \\resizebox or landscape.\n");
        for (int i = 0; i < grids.Count; i++)
        {
            if (i > 0 && i % MostFloats == 0) tex.Append("\n\\clearpage\n");
            Table(tex, grids[i], i + 1);
        }
        return tex.ToString();
    }

    /// <summary>A text with everything escaped that LaTeX would take as a command.</summary>
    /// <param name="text">The text.</param>
    public static string Escape(string text)
    {
        StringBuilder tex = new();
        foreach (char c in OneLine(text))
        {
            tex.Append(c switch
            {
                '\\' => "\\textbackslash{}",
                '~' => "\\textasciitilde{}",
                '^' => "\\textasciicircum{}",
                '<' => "\\textless{}",
                '>' => "\\textgreater{}",
                '|' => "\\textbar{}",
                '"' => "\\char34{}",
                '`' => "\\char96{}",
                '±' => "$\\pm$",
                '{' or '}' or '$' or '&' or '#' or '_' or '%' => $"\\{c}",
                _ => c.ToString(),
            });
        }
        return tex.ToString();
    }

    private static void Table(StringBuilder tex, SeedGrid grid, int number)
    {
        tex.Append("\n\\begin{table}\n  \\centering\n");
        string title = grid.Caption.StartsWith($"{grid.Key.Title}:", StringComparison.Ordinal) ? "" : $"{grid.Key.Title}. ";
        tex.Append($"  \\caption{{{Escape(title + grid.Caption)}}}\n");
        tex.Append(CultureInfo.InvariantCulture, $"  \\label{{tab:sweep-{number}}}\n");
        tex.Append($"  \\begin{{tabular}}{{l{new string('r', grid.Columns.Count)}}}\n    \\toprule\n    ");
        tex.Append(string.Join(" & ", grid.Columns.Select(Escape).Prepend(Escape(grid.Key.Heads.Row)))).Append(" \\\\\n    \\midrule\n");
        foreach (string row in grid.Rows)
        {
            string cells = string.Join(" & ", grid.Columns.Select(c => Cell(grid, row, c)).Prepend(Escape(row)));
            tex.Append($"    {cells} \\\\\n");
        }
        tex.Append("    \\bottomrule\n  \\end{tabular}\n\\end{table}\n");
    }

    private static string Cell(SeedGrid grid, string row, string column)
    {
        if (grid.Cell(row, column) is null) return "--";
        (string mean, string? half, string? remark) = grid.Texts(row, column);
        if (grid.Cell(row, column) is { Count: 0 }) return mean;
        mean = Number(mean);
        string cell = grid.IsBest(row, column) ? $"\\mathbf{{{mean}}}" : mean;
        if (half is not null) cell += $" \\pm {Number(half)}";
        return $"${cell}$" + (remark is null ? "" : $" ({remark.Replace("n = ", "$n = ", StringComparison.Ordinal)}$)");
    }

    // 1.234e-05 as a product with a power of ten.
    private static string Number(string number) =>
        number.IndexOf('e', StringComparison.Ordinal) is > 0 and int at
            ? $"{number[..at]} \\times 10^{{{int.Parse(number[(at + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture)}}}"
            : number;

    private static string OneLine(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
}
