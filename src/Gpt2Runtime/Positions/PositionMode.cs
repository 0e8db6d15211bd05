namespace Gradpath.Gpt2Runtime.Positions;

/// <summary>What tells apart the positions at which an edge writes and reads.</summary>
public enum PositionMode
{
    /// <summary>The spans that prompts name.</summary>
    Spans,

    /// <summary>Every token by itself, of prompts of one length.</summary>
    Tokens,
}
