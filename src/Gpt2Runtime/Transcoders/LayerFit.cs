namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>How much of a layer's MLP a transcoder accounts for on some positions.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Features">Features that the transcoder has; 0 where there is none.</param>
/// <param name="Active">Active features of all positions.</param>
/// <param name="L0">Active features a position.</param>
/// <param name="UnexplainedVariance">Squared error over the squared distance of the outputs from their mean; NaN where that is 0.</param>
internal sealed record LayerFit(int Layer, int Features, int Active, double L0, double UnexplainedVariance);
