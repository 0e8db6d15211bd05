using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Perf;

/// <summary>Models and prompts for timing: GPT-2's shapes with random weights. The time of a pass does not depend on the values.</summary>
internal static class Workloads
{
    /// <summary>The shape of a GPT-2 model.</summary>
    /// <param name="name"><c>small</c>, <c>medium</c>, <c>large</c> or <c>xl</c>.</param>
    /// <returns>The shape.</returns>
    public static Gpt2Config Shape(string name)
    {
        (int layers, int heads, int width) = name switch
        {
            "small" => (12, 12, 768),
            "medium" => (24, 16, 1024),
            "large" => (36, 20, 1280),
            "xl" => (48, 25, 1600),
            _ => throw new ArgumentException($"no GPT-2 shape is called {name}: small, medium, large or xl"),
        };
        return new Gpt2Config { Layers = layers, Heads = heads, Width = width, InnerWidth = 4 * width, Positions = 1024, Vocabulary = 50257 };
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

    /// <summary>Floating-point operations of the products that a method needs, in the form in which it makes them.</summary>
    /// <param name="c">The model's shape.</param>
    /// <param name="options">Method and settings: eap, eap-ig, clean-corrupted or eap-gp with the logit difference.</param>
    /// <param name="pairs">Number of pairs.</param>
    /// <param name="tokens">Tokens of each prompt.</param>
    /// <returns>Multiplications and additions.</returns>
    public static double Flops(Gpt2Config c, AttributionOptions options, int pairs, int tokens)
    {
        double rows = (double)pairs * tokens;
        bool answerOnly = options.Method != AttributionMethod.EapGp;
        double d = c.Width;
        double attention = 2.0 * 2 * tokens * d;
        double keysValues = 2 * d * 2 * d;
        double querySide = (2 * d * 2 * d) + (2.0 * 2 * d * c.InnerWidth);
        double lastRows = answerOnly ? pairs : rows;
        double forward = ((c.Layers - 1) * rows * (keysValues + querySide + attention)) + (rows * keysValues) + (lastRows * (querySide + attention));

        // Backward: the same products, and the attention's twice.
        double backward = forward + ((c.Layers - 1) * rows * attention);
        int k = options.Steps;
        (double forwards, double backwards) = options.Method switch
        {
            AttributionMethod.Eap => (2, 1),
            AttributionMethod.CleanCorrupted => (2, 2),
            AttributionMethod.EapGp => (2 + k, 2 * k),
            _ => (options.IgPoints == IgPoints.Midpoint ? k + 2 : k + 1, k),
        };
        double spread = c.Layers * rows * 2 * d * d;
        double readers = c.Layers * rows * 2 * 3 * d * d;
        double contraction = 0;
        for (int l = 0; l < c.Layers; l++)
        {
            double feeding = 1 + (l * (c.Heads + 1));
            contraction += 2 * rows * d * ((3 * c.Heads * feeding) + feeding + c.Heads);
        }
        double distance = options.Method == AttributionMethod.EapGp ? k * rows * 2 * d * d : 0;
        return (forwards * forward) + (backwards * backward) + spread + readers + contraction + distance;
    }
}
