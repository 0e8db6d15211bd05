namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>How items are weighted.</summary>
public enum ScoreNormalization
{
    /// <summary><c>item</c>: mean over items.</summary>
    Item,

    /// <summary>
    /// <c>library</c>: as the EAP-IG library, where the loss is the mean over a batch and the sum over batches is divided by the number of
    /// items.
    /// </summary>
    Library,
}
