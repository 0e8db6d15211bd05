using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Positions;

namespace Gradpath.Gpt2Runtime.Drawing;

/// <summary>One method's results.</summary>
/// <param name="Name">What the report calls it; no two methods of a report share a name.</param>
/// <param name="Scores">Scores of all edges, their provenance, and where one was chosen the circuit.</param>
internal sealed record ReportMethod(string Name, EdgeScores Scores)
{
    /// <summary>Scores of edges between spans, of which <see cref="Scores"/> are the sums; null where there are none.</summary>
    public PositionalScores? Spans { get; init; }

    /// <summary>The recorded embedding path, or null.</summary>
    public IReadOnlyList<EmbeddingPathPoint>? EmbeddingPath { get; init; }

    /// <summary>The faithfulness curve, or null.</summary>
    public IReadOnlyList<CurvePoint>? Curve { get; init; }

    /// <summary>The steps of training masks, or null.</summary>
    public IReadOnlyList<EdgePruningStep>? Training { get; init; }
}
