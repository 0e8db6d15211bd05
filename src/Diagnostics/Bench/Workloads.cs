using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Diagnostics.Bench;

/// <summary>Models and prompts for timing: GPT-2's shapes with random weights. The time of a pass does not depend on the values.</summary>
internal static class Workloads
{
    /// <summary>Pairs of all works but W7.</summary>
    public const int PairCount = 20;

    /// <summary>Tokens of each of their prompts.</summary>
    public const int Tokens = 16;

    /// <summary>
    /// Where they differ: in one of the last tokens, as IOI's prompts do, whose second mention of the subject is exchanged.
    /// </summary>
    public const int DiffersAt = Tokens - 4;

    /// <summary>Pairs per batch.</summary>
    public const int BatchSize = 10;

    /// <summary>The shapes that have names: GPT-2's, and tiny, which is no model that exists.</summary>
    public static IReadOnlyList<string> ShapeNames { get; } = ["tiny", "small", "medium", "large", "xl"];

    /// <summary>The shape of a GPT-2 model.</summary>
    /// <param name="name">One of <see cref="ShapeNames"/>.</param>
    /// <returns>The shape.</returns>
    /// <exception cref="ArgumentException">There is no such shape.</exception>
    public static Gpt2Config Shape(string name)
    {
        (int layers, int heads, int width) = name switch
        {
            "tiny" => (2, 3, 24),
            "small" => (12, 12, 768),
            "medium" => (24, 16, 1024),
            "large" => (36, 20, 1280),
            "xl" => (48, 25, 1600),
            _ => throw new ArgumentException($"no GPT-2 shape is called {name}", nameof(name)),
        };
        return new Gpt2Config
        {
            Layers = layers,
            Heads = heads,
            Width = width,
            InnerWidth = 4 * width,
            Positions = 1024,
            Vocabulary = 50257,
        };
    }

    /// <summary>Random pairs of one length that differ in one token, with one answer and one wrong answer each.</summary>
    /// <param name="count">Number of pairs.</param>
    /// <param name="tokens">Tokens of each prompt.</param>
    /// <param name="differsAt">Position of the token that differs.</param>
    /// <returns>The pairs.</returns>
    public static PromptPair[] Pairs(int count, int tokens, int differsAt)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            int[] clean = [.. Enumerable.Range(0, tokens).Select(_ => random.Next(50257))];
            int[] corrupted = [.. clean];
            corrupted[differsAt] = (clean[differsAt] + 1 + random.Next(50000)) % 50257;
            return new PromptPair(clean, corrupted, [random.Next(50257)], [random.Next(50257)]);
        })];
    }
}
