namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>What a node of the graph is.</summary>
public enum NodeKind
{
    /// <summary>The token embedding. It only writes.</summary>
    Input,

    /// <summary>An attention head. It reads with its query, key and value inputs.</summary>
    Head,

    /// <summary>An MLP.</summary>
    Mlp,

    /// <summary>The logits. They only read.</summary>
    Logits,
}
