using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// What replaces writers' outputs in a patched pass. The arrays belong to whoever made them and stay as they are while it runs.
/// </summary>
/// <param name="Input">The token embedding [rows, D].</param>
/// <param name="Blocks">The heads' and MLPs' outputs of one copy, or of several of which the first counts.</param>
/// <param name="Streams">
/// The residual stream before every sublayer and the logits, where a run has left it whose outputs these are; null where it is to be made.
/// </param>
internal readonly record struct PatchTarget(Tensor Input, WriterBlocks Blocks, Tensor[]? Streams = null)
{
    /// <summary>Per layer the heads' mixed values [query rows, D].</summary>
    public Tensor[] Z => Blocks.Z;

    /// <summary>Per layer the MLP's output, bias included [query rows, D].</summary>
    public Tensor[] Mlp => Blocks.Mlp;
}
