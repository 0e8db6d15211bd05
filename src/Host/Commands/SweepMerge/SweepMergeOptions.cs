using CommandLine;
using CommandLine.Text;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath sweep merge</c>.</summary>
[Verb("sweep-merge", HelpText =
    "Make one table, LaTeX and Markdown tables and a page of a sweep's results; 'sweep merge DIR' is short for it.")]
internal sealed class SweepMergeOptions : CommandOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Input]
    [Option("dir", Required = true, MetaValue = "DIR", HelpText = "The sweep's folder. It may still be under way: what is done is merged.")]
    public string Dir { get; set; } = "";

    [Output(".csv")]
    [Option("table", MetaValue = "FILE.csv", HelpText = "The table, a row per unit and size (default: DIR/table.csv).")]
    public string? Table { get; set; }

    [Output(".parquet")]
    [Option("parquet", MetaValue = "FILE.parquet", HelpText = "The same table with types (default: DIR/table.parquet).")]
    public string? Parquet { get; set; }

    [Output(".tex")]
    [Option("latex", MetaValue = "FILE.tex", HelpText = "Means over seeds for a paper (default: DIR/table.tex).")]
    public string? Latex { get; set; }

    [Output(".md")]
    [Option("markdown", MetaValue = "FILE.md", HelpText = "The same means as Markdown (default: DIR/table.md).")]
    public string? Markdown { get; set; }

    [Output(".html")]
    [Option("page", MetaValue = "FILE.html", HelpText = "The page (default: DIR/index.html).")]
    public string? Page { get; set; }

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("All of it into the sweep's folder", s_short, new SweepMergeOptions { Dir = "runs/demo" }),
    ];
}
