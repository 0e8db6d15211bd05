namespace Gradpath.Gpt2Runtime;

/// <summary>A part of a prompt that has a name.</summary>
/// <param name="Name">The name; prompts of a set have the same ones.</param>
/// <param name="From">The first token, from 0; a begin token counts.</param>
/// <param name="To">The token behind the last; equal to <paramref name="From"/> where the prompt has no such part.</param>
public readonly record struct TokenSpan(string Name, int From, int To);
