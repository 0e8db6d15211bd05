namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>A tensor that a model of some shape must have.</summary>
/// <param name="Name">Its name in a checkpoint, without the <c>transformer.</c> prefix.</param>
/// <param name="Shape">Its extents.</param>
/// <param name="Rule">The config.json fields that imply the shape: <c>[n_embd, 3 n_embd]</c>.</param>
internal sealed record TensorSpec(string Name, int[] Shape, string Rule)
{
    /// <summary>Number of elements.</summary>
    public long Count => Shape.Aggregate(1L, static (product, extent) => product * extent);
}
