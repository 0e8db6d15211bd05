using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>The weights of one layer on a device; matrices in the checkpoint's [in, out] layout.</summary>
/// <param name="AttentionGain">Gain of the LayerNorm before the attention [D].</param>
/// <param name="AttentionShift">Its bias [D].</param>
/// <param name="QkvWeight">Queries, keys and values of all heads [D, 3 D]: all queries first, heads contiguous.</param>
/// <param name="QkvBias">[3 D].</param>
/// <param name="OutputWeight">The heads' output projection W_O [D, D]; rows of head h start at h times the head width.</param>
/// <param name="OutputBias">b_O [D]; belongs to no node of the graph.</param>
/// <param name="MlpGain">Gain of the LayerNorm before the MLP [D].</param>
/// <param name="MlpShift">Its bias [D].</param>
/// <param name="UpWeight">[D, inner].</param>
/// <param name="UpBias">[inner].</param>
/// <param name="DownWeight">[inner, D].</param>
/// <param name="DownBias">[D].</param>
internal sealed record Gpt2Layer(
    Tensor AttentionGain,
    Tensor AttentionShift,
    Tensor QkvWeight,
    Tensor QkvBias,
    Tensor OutputWeight,
    Tensor OutputBias,
    Tensor MlpGain,
    Tensor MlpShift,
    Tensor UpWeight,
    Tensor UpBias,
    Tensor DownWeight,
    Tensor DownBias);
