namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>What reads the residual stream: a feature or a logit.</summary>
/// <param name="Layer">The layer in front of whose MLP it reads; the number of layers for the output.</param>
/// <param name="Position">Where it reads.</param>
/// <param name="Direction">[D]: what it reads there is the inner product with this, LayerNorm's scale being a constant.</param>
internal readonly record struct FrozenTarget(int Layer, int Position, ReadOnlyMemory<float> Direction);
