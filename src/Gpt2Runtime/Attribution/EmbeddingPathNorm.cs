namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>Over what the embedding path's gradient is normalised.</summary>
public enum EmbeddingPathNorm
{
    /// <summary><c>item</c>: one norm per item.</summary>
    Item,

    /// <summary>
    /// <c>batch</c>: one norm over a whole batch of items in file order, as one public re-implementation has it. Scores then depend on the
    /// batch size.
    /// </summary>
    Batch,
}
