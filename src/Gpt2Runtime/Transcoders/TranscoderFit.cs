namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>How well a trained transcoder stands for its layer's MLP, on sequences that were set aside where there are any.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="UnexplainedVariance">Squared error over the squared distance of the outputs from their mean.</param>
/// <param name="L0">Active features a position.</param>
/// <param name="Dead">Features that were active at no position.</param>
/// <param name="Positions">Positions.</param>
internal sealed record TranscoderFit(int Layer, double UnexplainedVariance, double L0, int Dead, int Positions);
