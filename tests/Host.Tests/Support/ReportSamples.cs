using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Drawing;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Reports.Pages;

namespace Gradpath.Host.Tests;

/// <summary>Reports with made-up numbers.</summary>
internal static class ReportSamples
{
    /// <summary>Random scores, few large and many small; every fifth is a round number, so that there are ties.</summary>
    public static EdgeScores Scores(int layers, int heads, int seed = 1, Provenance? provenance = null)
    {
        ComputationGraph graph = new(layers, heads);
        Random random = new(seed);
        float[] scores = new float[graph.Writers * graph.Readers];
        foreach ((int row, int column) in graph.Edges)
        {
            double value = Math.Pow(random.NextDouble(), 6) * (random.Next(2) == 0 ? -1 : 1);
            scores[(row * graph.Readers) + column] = (float)(random.Next(5) == 0 ? Math.Round(value, 1) : value);
        }
        return new EdgeScores(graph, scores) { Provenance = provenance };
    }

    public static ReportMethod Method(string name, EdgeScores scores) => new(name, scores)
    {
        EmbeddingPath = [.. Enumerable.Range(0, 12).Select(i => new EmbeddingPathPoint(i / 4, i % 4, 1, 5 + i, 20 - i, 0, 0))],
        Curve = [new(0.01, 10, 8, 0.3, 0.2, 0.4), new(0.1, 100, 98, 0.8, 0.75, 0.83), new(1, 1000, 1000, 1)],
    };

    public static ReportData Small(params string[] names) =>
        ReportData.Of(
            "A title", [.. names.Select((name, i) => Method(name, Scores(4, 4, i + 1, new Provenance { Method = name, Task = "ioi" })))]);
}
