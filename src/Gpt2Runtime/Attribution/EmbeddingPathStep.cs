namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>The length of an embedding path's step.</summary>
public enum EmbeddingPathStep
{
    /// <summary><c>1</c>.</summary>
    [CanonicalName("1")]
    Unit,

    /// <summary><c>match</c>: the distance between the clean and the corrupted embedding over the number of steps, item by item.</summary>
    Match,
}
