namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>What a transcoder reads.</summary>
internal enum TranscoderInput
{
    /// <summary>What the layer's MLP reads: the residual stream behind LayerNorm, its gain and its shift.</summary>
    Mlp,

    /// <summary>
    /// The residual stream behind LayerNorm without gain and shift, as models have it whose gains and shifts were folded into the weights
    /// behind them.
    /// </summary>
    Normalized,

    /// <summary>The residual stream in front of LayerNorm.</summary>
    Residual,
}
