namespace Gradpath.Host.Sweeps.Merge;

/// <summary>The files that a merge writes; null for one that it does not.</summary>
internal sealed record MergeTargets
{
    /// <summary>The table as CSV.</summary>
    public string? Csv { get; init; }

    /// <summary>The table as Parquet.</summary>
    public string? Parquet { get; init; }

    /// <summary>Means over seeds for LaTeX.</summary>
    public string? Latex { get; init; }

    /// <summary>Means over seeds for Markdown.</summary>
    public string? Markdown { get; init; }

    /// <summary>The page.</summary>
    public string? Page { get; init; }

    /// <summary>All of them, under their usual names.</summary>
    /// <param name="folder">The folder.</param>
    public static MergeTargets In(string folder) => new()
    {
        Csv = Path.Combine(folder, "table.csv"),
        Parquet = Path.Combine(folder, "table.parquet"),
        Latex = Path.Combine(folder, "table.tex"),
        Markdown = Path.Combine(folder, "table.md"),
        Page = Path.Combine(folder, "index.html"),
    };
}
