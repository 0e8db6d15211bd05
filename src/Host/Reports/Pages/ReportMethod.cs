using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Reports.Pages;

/// <summary>One method's results.</summary>
/// <param name="Name">What the report calls it; no two methods of a report share a name.</param>
/// <param name="Scores">Scores of all edges, their provenance, and where one was chosen the circuit.</param>
internal sealed record ReportMethod(string Name, EdgeScores Scores)
{
    /// <summary>The recorded embedding path, or null.</summary>
    public IReadOnlyList<EmbeddingPathPoint>? EmbeddingPath { get; init; }

    /// <summary>The faithfulness curve, or null.</summary>
    public IReadOnlyList<CurvePoint>? Curve { get; init; }

    /// <summary>The steps of training masks, or null.</summary>
    public IReadOnlyList<EdgePruningStep>? Training { get; init; }

    /// <summary>
    /// Reads score files. A file is called by its method, or by its own name where it states none or two files share one.
    /// </summary>
    public static List<ReportMethod> ReadAll(string[] files)
    {
        EdgeScores[] scores = [.. files.Select(GivenFile.Scores)];
        string?[] names = [.. scores.Select(s => s.Provenance?.Method)];
        return
        [
            .. files.Zip(scores, names).Select(f => new ReportMethod(
                f.Third is { } name && names.Count(n => n == name) == 1 ? name : Path.GetFileNameWithoutExtension(f.First), f.Second)),
        ];
    }
}
