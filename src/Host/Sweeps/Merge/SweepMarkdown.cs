using System.Text;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>Grids as tables of GitHub's Markdown.</summary>
internal static class SweepMarkdown
{
    /// <summary>The file's text.</summary>
    /// <param name="input">The sweep.</param>
    /// <param name="grids">Its grids.</param>
    public static string Of(MergeInput input, IReadOnlyList<SeedGrid> grids)
    {
        StringBuilder text = new($"# {Escape(input.Plan.Name)}\n\n{Escape(SweepSummary.Line(input))}\n");
        foreach (SeedGrid grid in grids) Table(text, grid);
        return text.ToString();
    }

    /// <summary>A text with everything escaped that Markdown would take as a sign.</summary>
    /// <param name="text">The text.</param>
    public static string Escape(string text)
    {
        StringBuilder escaped = new();
        foreach (char c in text)
        {
            if (char.IsControl(c)) escaped.Append(' ');
            else if (c == '&') escaped.Append("&amp;");
            else if (c == '<') escaped.Append("&lt;");
            else if (c is '\\' or '`' or '*' or '_' or '[' or ']' or '>' or '|' or '#' or '~' or '$') escaped.Append('\\').Append(c);
            else escaped.Append(c);
        }
        return escaped.ToString();
    }

    private static void Table(StringBuilder text, SeedGrid grid)
    {
        text.Append($"\n## {Escape(grid.Key.Title)}\n\n{Escape(grid.Caption)}\n\n");
        Row(text, grid.Columns.Select(Escape).Prepend(Escape(grid.Key.Heads.Row)));
        Row(text, grid.Columns.Select(_ => "---:").Prepend(":---"));
        foreach (string row in grid.Rows) Row(text, grid.Columns.Select(c => Cell(grid, row, c)).Prepend(Escape(row)));
    }

    private static void Row(StringBuilder text, IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    private static string Cell(SeedGrid grid, string row, string column)
    {
        (string mean, string? half, string? remark) = grid.Texts(row, column);
        if (grid.IsBest(row, column)) mean = $"**{mean}**";
        return mean + (half is null ? "" : $" ± {half}") + (remark is null ? "" : $" ({remark})");
    }
}
