using System.Security.Cryptography;
using System.Text;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>The prompt pairs that a run goes over, and where they came from.</summary>
public sealed record PromptSet
{
    internal PromptSet(string task, Metric metric, IReadOnlyList<PromptPair> pairs, string source, string hash)
    {
        Task = task;
        Metric = metric;
        Pairs = pairs;
        Source = source;
        Hash = hash;
    }

    /// <summary>The task's name (<c>ioi</c>, ...), or the file's name for prompts from a file of no task.</summary>
    public string Task { get; init; }

    /// <summary>The metric that the task is judged by unless options say otherwise.</summary>
    public Metric Metric { get; init; }

    /// <summary>The items, in the order of their source.</summary>
    public IReadOnlyList<PromptPair> Pairs { get; init; }

    /// <summary>Where they came from, for messages and provenance.</summary>
    public string Source { get; init; }

    /// <summary>
    /// SHA-256 of what they came from, in lower-case hex: of a file's bytes, or of the pairs as this library would write them.
    /// </summary>
    public string Hash { get; init; }

    /// <summary>The seed that they were generated with; null where they were not.</summary>
    public ulong? Seed { get; init; }

    /// <summary>The token that prompts which came as text begin with; null where none came as text or none was put in front.</summary>
    public BeginToken? BeginToken { get; init; }

    /// <summary>What answers of several tokens stand for.</summary>
    public AnswerReading AnswerReading { get; init; }

    /// <summary>Which of several corruptions of a file they have, by its column; null for the usual one.</summary>
    public string? Corruption { get; init; }

    /// <summary>What a user should know of how texts became tokens, one sentence each; a host shows each once.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Makes a set of pairs that a program has.</summary>
    /// <param name="pairs">The pairs; the list is copied.</param>
    /// <param name="task">What results call the task.</param>
    /// <param name="metric">The metric that the task is judged by unless options say otherwise; null for the logit difference.</param>
    /// <param name="source">Where results say that the pairs came from.</param>
    /// <returns>The set. Its hash is of the pairs' token ids.</returns>
    public static PromptSet Of(
        IReadOnlyList<PromptPair> pairs,
        string task = "custom",
        Metric? metric = null,
        string source = "pairs from a program")
    {
        ArgumentNullException.ThrowIfNull(pairs);
        ArgumentException.ThrowIfNullOrEmpty(task);
        ArgumentNullException.ThrowIfNull(source);
        PromptPair[] copy = [.. pairs];
        if (copy.Contains(null)) throw new ArgumentException("a pair is null", nameof(pairs));
        using var text = new MemoryStream();
        PromptWriter.Write(text, copy, null);
        return new PromptSet(
            task, metric ?? BuiltInMetrics.LogitDifference, copy, source, Convert.ToHexStringLower(SHA256.HashData(text.ToArray())));
    }

    /// <summary>Makes a set of prompt pairs that a program has as texts.</summary>
    /// <param name="pairs">The pairs.</param>
    /// <param name="tokenizer">The model's vocabulary.</param>
    /// <param name="options">Limits and choices; null for the usual ones.</param>
    /// <param name="name">What results call the task, and messages the texts.</param>
    /// <returns>The set, with begin tokens in place.</returns>
    /// <exception cref="OptionException">An option cannot be used.</exception>
    /// <exception cref="GradpathException">A text makes a pair unusable; the message names the pair by its number.</exception>
    public static PromptSet OfTexts(
        IReadOnlyList<TextPair> pairs, BpeTokenizer tokenizer, PromptOptions? options = null, string name = "texts")
    {
        ArgumentNullException.ThrowIfNull(pairs);
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (pairs.Contains(null)) throw new ArgumentException("a pair is null", nameof(pairs));
        for (int i = 0; i < pairs.Count; i++)
        {
            TextPair pair = pairs[i];
            if (new[] { pair.Clean, pair.Corrupted }.Concat(pair.Answers).Concat(pair.WrongAnswers).Any(IsTorn))
                throw new GradpathException($"{name}, pair {i + 1}: a text holds half of a character (a lone surrogate).");
        }
        using var text = new MemoryStream();
        PromptWriter.Write(text, pairs);
        return PromptLoader.Parse(text.ToArray(), tokenizer, options ?? new PromptOptions(), name);
    }

    // A writer of UTF-8 would put another character in its place.
    private static bool IsTorn(string? text) => text is not null && text.EnumerateRunes().Any(r => r == Rune.ReplacementChar)
        && !text.Contains('\uFFFD', StringComparison.Ordinal);
}
