using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using MathNet.Numerics.Statistics;

namespace Gradpath.Host.Commands;

/// <summary>How far every two of many files agree.</summary>
internal sealed class FileMatrices
{
    private readonly GroundTruthOverlap?[,] _overlaps;
    private readonly double[,] _spearman;

    private FileMatrices(ComparedFile[] files, GroundTruthOverlap?[,] overlaps, double[,] spearman)
    {
        Files = files;
        _overlaps = overlaps;
        _spearman = spearman;
    }

    /// <summary>What each matrix holds, with its name in files.</summary>
    public static IReadOnlyList<(string Title, string Name, Func<FileMatrices, int, int, double> Value)> Kinds { get; } =
    [
        ("Jaccard index of edges", "jaccard", (m, a, b) => m._overlaps[a, b]?.Edges.Jaccard ?? double.NaN),
        ("F1 of edges", "f1", (m, a, b) => m._overlaps[a, b]?.Edges.F1 ?? double.NaN),
        ("Spearman of scores", "spearman", (m, a, b) => m._spearman[a, b]),
    ];

    /// <summary>The files.</summary>
    public IReadOnlyList<ComparedFile> Files { get; }

    /// <summary>All pairs of places: row by row.</summary>
    public IEnumerable<(int A, int B)> Cells =>
        Enumerable.Range(0, Files.Count).SelectMany(a => Enumerable.Range(0, Files.Count).Select(b => (a, b)));

    /// <summary>Edges of both circuits; null where one has none.</summary>
    /// <param name="a">A file.</param>
    /// <param name="b">Another one.</param>
    public int? Shared(int a, int b) => _overlaps[a, b]?.Edges.Shared;

    /// <summary>Compares files with each other.</summary>
    /// <param name="files">The files, of one model.</param>
    /// <param name="signed">Rank by the score itself instead of its absolute value.</param>
    /// <param name="withoutMlps">Leave MLPs and their edges out.</param>
    /// <param name="cancellation">Stops the work.</param>
    public static FileMatrices Of(ComparedFile[] files, bool signed, bool withoutMlps, CancellationToken cancellation)
    {
        (int Row, int Column)[] edges = [.. new EdgeUniverse(files[0].Graph, withoutMlps).Edges];
        double[]?[] ranks = [.. files.Select(f =>
        {
            cancellation.ThrowIfCancellationRequested();
            return f.HasScores ? Ranks(f.Scores!, edges, signed) : null;
        })];
        int n = files.Length;
        var overlaps = new GroundTruthOverlap?[n, n];
        var spearman = new double[n, n];
        for (int a = 0; a < n; a++)
        {
            for (int b = 0; b <= a; b++)
            {
                cancellation.ThrowIfCancellationRequested();
                if (files[a].Circuit is { } one && files[b].Circuit is { } other)
                {
                    overlaps[a, b] = GroundTruthOverlap.Compare(one, other, withoutMlps);
                    overlaps[b, a] = GroundTruthOverlap.Compare(other, one, withoutMlps);
                }
                spearman[a, b] = spearman[b, a] = ranks[a] is { } x && ranks[b] is { } y ? Correlation.Pearson(x, y) : double.NaN;
            }
        }
        return new FileMatrices(files, overlaps, spearman);
    }

    // Equal scores share their mean rank.
    private static double[] Ranks(EdgeScores scores, (int Row, int Column)[] edges, bool signed) =>
        Statistics.Ranks(edges.Select(e => signed ? scores[e.Row, e.Column] : Math.Abs((double)scores[e.Row, e.Column])));
}
