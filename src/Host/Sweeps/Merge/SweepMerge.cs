using Gradpath.Gpt2Runtime;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>Puts the results of a sweep together: the tidy table, means over seeds, a page.</summary>
internal static class SweepMerge
{
    /// <summary>Writes what is wanted. Files that exist are replaced, each only by a whole one.</summary>
    /// <param name="input">The sweep's results, in any order. The same results give the same bytes.</param>
    /// <param name="targets">The files.</param>
    /// <param name="cancellation">Stops the work between files and circuits.</param>
    /// <returns>The table and the grids, for whoever reports them.</returns>
    /// <exception cref="GradpathException">A file cannot be written.</exception>
    public static (SweepTable Table, IReadOnlyList<SeedGrid> Grids) Write(
        MergeInput input, MergeTargets targets, CancellationToken cancellation = default)
    {
        input = input.Ordered();
        SweepTable table = SweepTable.Of(input.Plan.Name, input.Done);
        IReadOnlyList<SeedGrid> grids =
            targets is { Latex: null, Markdown: null, Page: null } ? [] : SeedStatistics.Of(input, cancellation);
        void Write(string? path, Action<Stream> write)
        {
            cancellation.ThrowIfCancellationRequested();
            if (path is not null) AtomicFile.Write(path, write);
        }
        Write(targets.Csv, table.WriteCsv);
        Write(targets.Parquet, table.WriteParquet);
        Write(targets.Latex, s => s.Write(Bytes(SweepLatex.Of(input, grids))));
        Write(targets.Markdown, s => s.Write(Bytes(SweepMarkdown.Of(input, grids))));
        Write(targets.Page, s => s.Write(Bytes(SweepPage.Of(input, table, grids))));
        return (table, grids);
    }

    private static byte[] Bytes(string text) => System.Text.Encoding.UTF8.GetBytes(text);
}
