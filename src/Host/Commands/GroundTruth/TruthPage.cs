using System.Text;
using Gradpath.Gpt2Runtime;

namespace Gradpath.Host.Commands;

/// <summary>The table of every method and every program, which a page of the documentation has between two marks.</summary>
internal static class TruthPage
{
    /// <summary>The page, from the repository's root.</summary>
    public const string Name = "docs/ground-truth.md";

    /// <summary>What stands before the table.</summary>
    public const string Begin = "<!-- gradpath ground-truth: begin -->";

    /// <summary>What stands behind it.</summary>
    public const string End = "<!-- gradpath ground-truth: end -->";

    /// <summary>The table's heads.</summary>
    /// <param name="rows">The rows.</param>
    public static string[] Heads(IReadOnlyList<TruthRow> rows) => ["method", .. rows.Select(r => r.Program).Distinct(), "mean"];

    /// <summary>The table's lines: a method and its figures on each program and in the mean.</summary>
    /// <param name="rows">The rows.</param>
    public static IEnumerable<string[]> Lines(IReadOnlyList<TruthRow> rows) => rows.GroupBy(r => r.Method).Select(m => (string[])
    [
        m.Key, .. m.Select(r => r.Text),
        TruthRow.Cell(m.Average(r => r.Quality.Area), m.Average(r => r.Quality.AveragePrecision)),
    ]);

    /// <summary>Writes the table of a page.</summary>
    /// <param name="path">The page.</param>
    /// <param name="rows">All methods on all programs.</param>
    /// <exception cref="GradpathException">The page has no marks, or cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<TruthRow> rows)
    {
        string page = File.ReadAllText(path);
        int begin = page.IndexOf(Begin, StringComparison.Ordinal), end = page.IndexOf(End, StringComparison.Ordinal);
        if (begin < 0 || end < begin) throw new GradpathException($"{path}: the lines '{Begin}' and '{End}' are not there");
        AtomicFile.Write(path, string.Concat(page.AsSpan(0, begin + Begin.Length), Markdown(rows), page.AsSpan(end)));
    }

    private static string Markdown(IReadOnlyList<TruthRow> rows)
    {
        string[] heads = Heads(rows);
        StringBuilder text = new("\n");
        text.Append($"| {string.Join(" | ", heads)} |\n|{string.Concat(heads.Select(_ => "---|"))}\n");
        foreach (string[] line in Lines(rows)) text.Append($"| `{line[0]}` | {string.Join(" | ", line[1..])} |\n");
        return text.ToString();
    }
}
