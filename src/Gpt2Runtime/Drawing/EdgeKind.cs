namespace Gradpath.Gpt2Runtime.Drawing;

/// <summary>What an edge feeds; a drawing tells these apart.</summary>
internal enum EdgeKind
{
    Query,
    Key,
    Value,
    Mlp,
    Logits,
}
