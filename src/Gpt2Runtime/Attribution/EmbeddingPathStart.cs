namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>Where the embedding path starts; it heads for the output of the other prompt's run, the target run.</summary>
public enum EmbeddingPathStart
{
    /// <summary><c>clean</c>: at the clean embedding.</summary>
    Clean,

    /// <summary><c>corrupted</c>: at the corrupted embedding.</summary>
    Corrupted,

    /// <summary>
    /// <c>auto</c>: pair by pair, at the clean embedding where the pair is saturated there, else at the corrupted one. Saturated means that
    /// the metric's gradient is at least 8 times smaller there than halfway to the corrupted embedding.
    /// </summary>
    Auto,
}
