using CommandLine;
using CommandLine.Text;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath sweep merge</c>.</summary>
[Verb("sweep-merge", HelpText =
    "Make one table, LaTeX and Markdown tables and a page of a sweep's results; 'sweep merge DIR' is short for it. All five "
    + "files go to DIR, unless options name some: then those alone are written.")]
internal sealed class SweepMergeOptions : CommandOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Input]
    [Option("dir", Required = true, MetaValue = "DIR", HelpText = "The sweep's folder. It may still be under way: what is done is merged.")]
    public string Dir { get; set; } = "";

    [Output(".csv")]
    [Option("table", MetaValue = "FILE.csv", HelpText = "The table, a row per unit and size (where no file is named: DIR/table.csv).")]
    public string? Table { get; set; }

    [Output(".parquet")]
    [Option("parquet", MetaValue = "FILE.parquet", HelpText = "The same table with types (likewise: DIR/table.parquet).")]
    public string? Parquet { get; set; }

    [Output(".tex")]
    [Option("latex", MetaValue = "FILE.tex", HelpText = "Means over seeds for a paper (likewise: DIR/table.tex).")]
    public string? Latex { get; set; }

    [Output(".md")]
    [Option("markdown", MetaValue = "FILE.md", HelpText = "The same means as Markdown (likewise: DIR/table.md).")]
    public string? Markdown { get; set; }

    [Output(".html")]
    [Option("page", MetaValue = "FILE.html", HelpText = "The page (likewise: DIR/index.html).")]
    public string? Page { get; set; }

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("All of it into the sweep's folder", s_short, new SweepMergeOptions { Dir = "runs/demo" }),
    ];
}
