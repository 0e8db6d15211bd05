namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>Whole passes over a batch of prompts.</summary>
/// <param name="Forward">Forward passes.</param>
/// <param name="Backward">Backward passes. One costs as much as a forward pass, because weights have no gradients here.</param>
public readonly record struct PassCounts(int Forward, int Backward);
