namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>Where an embedding path's steps lead.</summary>
public enum EmbeddingPathDirection
{
    /// <summary><c>gradient</c>: against the gradient of the objective.</summary>
    Gradient,

    /// <summary><c>line</c>: along the straight line from the path's start to the other prompt's embedding.</summary>
    Line,

    /// <summary><c>mixed</c>: halfway between the two, both of length one.</summary>
    Mixed,

    /// <summary><c>auto</c>: <see cref="Mixed"/> from the clean embedding, <see cref="Line"/> from the corrupted one.</summary>
    Auto,
}
