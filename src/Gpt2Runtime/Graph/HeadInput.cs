namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>Which of its three inputs an attention head reads with.</summary>
public enum HeadInput
{
    /// <summary>The query.</summary>
    Query,

    /// <summary>The key.</summary>
    Key,

    /// <summary>The value.</summary>
    Value,
}
