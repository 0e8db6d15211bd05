namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>How an attribution graph is made.</summary>
internal sealed record TranscoderGraphOptions
{
    /// <summary>The defaults of the published tool.</summary>
    public static TranscoderGraphOptions Default { get; } = new();

    /// <summary>Most features whose incoming edges are computed; the others are left out.</summary>
    public int MaxFeatures { get; init; } = 7_500;

    /// <summary>
    /// Most features that take part at all, those of the largest output; what the others write is part of the error nodes.
    /// </summary>
    public int MaxCandidates { get; init; } = 30_000;

    /// <summary>Most logit nodes.</summary>
    public int MaxLogits { get; init; } = 10;

    /// <summary>The most probable tokens are logit nodes until they have this probability together.</summary>
    public double LogitProbability { get; init; } = 0.95;

    /// <summary>Whether the graph keeps what every source writes.</summary>
    public bool KeepsVectors { get; init; }
}
