namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>What a written graph says in words.</summary>
/// <param name="Slug">The graph's name, good as a part of a file's name.</param>
/// <param name="Prompt">The prompt as it was given.</param>
/// <param name="Scan">What the transcoders are called.</param>
/// <param name="Token">The text of a token.</param>
internal sealed record GraphText(string Slug, string Prompt, string Scan, Func<int, string> Token);
