namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>A logit of the last position.</summary>
/// <param name="Token">Its token.</param>
/// <param name="Probability">Its probability.</param>
internal readonly record struct GraphLogit(int Token, double Probability);
