using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Native.Handles;

namespace Gradpath.Native.Objects;

/// <summary>Prompt pairs.</summary>
/// <param name="prompts">The pairs.</param>
/// <param name="tokenizer">The vocabulary that they were made with, to write them as texts; null for ids.</param>
internal sealed class PromptsObject(PromptSet prompts, Lazy<BpeTokenizer>? tokenizer) : IHandled
{
    private readonly Lazy<Dictionary<PromptPair, int>> _places = new(() => PlacesOf(prompts));

    /// <summary>The pairs.</summary>
    public PromptSet Prompts { get; } = prompts;

    /// <inheritdoc />
    public HandleKind Kind => HandleKind.Prompts;

    /// <summary>The place of a pair, for a metric of the caller's.</summary>
    /// <param name="pair">One of the pairs.</param>
    public int PlaceOf(PromptPair pair) => _places.Value[pair];

    /// <summary>Writes the pairs to a file.</summary>
    /// <param name="path">The file: .jsonl.</param>
    public void Save(string path)
    {
        if (!string.Equals(Path.GetExtension(path), ".jsonl", StringComparison.OrdinalIgnoreCase))
            throw new GradpathException($"{path}: prompts are written to .jsonl files.");
        bool asTexts = Prompts.Pairs.Any(p => p.CleanText is not null);
        PromptWriter.Write(path, Prompts.Pairs, asTexts ? tokenizer?.Value : null);
    }

    /// <inheritdoc />
    public JsonObject Describe() => new()
    {
        ["n_pairs"] = Prompts.Pairs.Count,
        ["task"] = Prompts.Task,
        ["metric"] = Prompts.Metric.Name,
        ["source"] = Prompts.Source,
        ["hash"] = Prompts.Hash,
        ["seed"] = Prompts.Seed is { } seed ? (long)seed : null,
        ["answers"] = CanonicalNames.Of(Prompts.AnswerReading),
        ["lengths"] = new JsonArray([.. Prompts.Pairs.Select(p => JsonValue.Create(p.Length))]),
        ["warnings"] = Texts.Array(Prompts.Warnings),
    };

    /// <inheritdoc />
    public void Dispose()
    {
    }

    private static Dictionary<PromptPair, int> PlacesOf(PromptSet prompts)
    {
        // Two pairs may be equal; they are two all the same.
        Dictionary<PromptPair, int> places = new(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < prompts.Pairs.Count; i++) places[prompts.Pairs[i]] = i;
        return places;
    }
}
