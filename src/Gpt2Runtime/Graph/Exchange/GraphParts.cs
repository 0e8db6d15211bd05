namespace Gradpath.Gpt2Runtime.Graph.Exchange;

/// <summary>What a file of scores or of a circuit may hold.</summary>
[Flags]
internal enum GraphParts
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Scores of edges; where a circuit is marked, those of its edges.</summary>
    Scores = 1,

    /// <summary>Beside a circuit, scores of the edges outside of it.</summary>
    OtherScores = 2,

    /// <summary>Which edges are in the circuit.</summary>
    Circuit = 4,

    /// <summary>Scores of nodes.</summary>
    NodeScores = 8,

    /// <summary>How it was made.</summary>
    Provenance = 16,

    /// <summary>The width of the model's residual stream.</summary>
    Width = 32,

    /// <summary>All of these.</summary>
    All = Scores | OtherScores | Circuit | NodeScores | Provenance | Width,
}
