namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>The length of an embedding path's step.</summary>
public enum EmbeddingPathStep
{
    /// <summary><c>1</c>.</summary>
    [CanonicalName("1")]
    Unit,

    /// <summary><c>match</c>: the distance between the clean and the corrupted embedding over the number of steps, item by item.</summary>
    Match,

    /// <summary>
    /// <c>distance</c>: the length by which the output's distance from the target falls, to first order, to what is due: after step j of k
    /// to (k - j - 1/2) / k of what it was at the start. Between a tenth of and twice the matched step, item by item; only the
    /// positions from the pair's first difference on move.
    /// </summary>
    Distance,
}
