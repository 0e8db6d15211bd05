using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>What some readers of one sublayer read at some rows.</summary>
/// <param name="Sublayer">The sublayer, 2 L for the logits.</param>
/// <param name="Difference">[copies, rows, D]: the difference of the replaced input from the ablated residual stream.</param>
/// <param name="RowMask">[rows]: 1 where it replaces the reader's input, 0 where the reader keeps its own.</param>
internal sealed record InputReplacement(int Sublayer, Tensor Difference, Tensor RowMask);
