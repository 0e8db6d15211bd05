namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>What the gradients along the embedding path are multiplied with.</summary>
public enum EmbeddingPathOuter
{
    /// <summary><c>delta</c>: the writer's whole difference, corrupted - clean.</summary>
    Delta,

    /// <summary><c>path</c>: the writer's own change from point to point, as IG2 integrates.</summary>
    Path,
}
