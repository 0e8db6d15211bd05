namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>A feature that is active at a position.</summary>
/// <param name="Layer">Its layer.</param>
/// <param name="Position">The position.</param>
/// <param name="Feature">Its place among the transcoder's features.</param>
/// <param name="Activation">How much it passes on.</param>
internal readonly record struct ActiveFeature(int Layer, int Position, int Feature, float Activation);
