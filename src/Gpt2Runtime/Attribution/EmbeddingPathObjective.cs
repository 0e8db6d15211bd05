namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>The distance from the target run that the embedding path descends.</summary>
public enum EmbeddingPathObjective
{
    /// <summary><c>logits-all</c>: squared distance of the logits at all real positions.</summary>
    LogitsAll,

    /// <summary><c>logits-last</c>: squared distance of the logits at the last position.</summary>
    LogitsLast,

    /// <summary><c>probs-last</c>: squared distance of the probabilities at the last position.</summary>
    ProbsLast,

    /// <summary><c>residual-final</c>: squared distance of the residual stream before the final LayerNorm, at all real positions.</summary>
    ResidualFinal,

    /// <summary><c>residual-final-last</c>: the same at the last position only.</summary>
    ResidualFinalLast,

    /// <summary><c>metric</c>: squared difference of the metric. One backward pass per step serves the path and the scores.</summary>
    Metric,
}
