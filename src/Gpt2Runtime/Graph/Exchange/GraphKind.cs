namespace Gradpath.Gpt2Runtime.Graph.Exchange;

/// <summary>A kind of file of scores or circuits: a row of <see cref="GraphKinds"/>.</summary>
/// <param name="Name">What people call it on command lines.</param>
/// <param name="Title">What it is, in a few words.</param>
/// <param name="Ending">How the names of its files end; nothing for a folder.</param>
/// <param name="Holds">The parts that it keeps.</param>
internal sealed record GraphKind(string Name, string Title, string Ending, GraphParts Holds)
{
    /// <summary>Whether it is a folder, which may hold several circuits.</summary>
    public bool IsFolder => Ending.Length == 0;

    /// <summary>Whether a list of all edges means scores, so that a circuit of all edges with scores loses that it is one.</summary>
    public bool ListsEdges { get; init; }

    /// <summary>Whether the model's shape must be said where the file does not have all edges.</summary>
    public bool NeedsShape { get; init; }

    /// <summary>Reads a file of it.</summary>
    public required Func<string, GraphShape, IReadOnlyList<EdgeScores>> Read { get; init; }

    /// <summary>Writes a file of it; one that exists is replaced, and only by a whole one.</summary>
    public required Action<string, IReadOnlyList<EdgeScores>> Write { get; init; }

    /// <summary>What of scores a file of it cannot hold.</summary>
    /// <param name="scores">The scores.</param>
    public GraphParts Losses(EdgeScores scores)
    {
        GraphParts parts = GraphContent.Of(scores), lost = parts & ~Holds;
        bool isAll = ListsEdges && parts.HasFlag(GraphParts.Circuit | GraphParts.Scores)
            && GraphContent.EdgeCount(scores) == scores.Graph.EdgeCount;
        return isAll ? lost | GraphParts.Circuit : lost;
    }

    /// <summary>The name.</summary>
    public override string ToString() => Name;
}
