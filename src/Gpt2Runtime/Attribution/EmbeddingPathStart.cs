namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>Where the embedding path starts; it heads for the output of the other prompt's run, the target run.</summary>
public enum EmbeddingPathStart
{
    /// <summary><c>clean</c>: at the clean embedding.</summary>
    Clean,

    /// <summary><c>corrupted</c>: at the corrupted embedding.</summary>
    Corrupted,
}
