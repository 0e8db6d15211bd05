using System.Security.Cryptography;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tasks.Generators;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Host.Commands;

/// <summary>Which prompts a command asks for: generated for a task, or read from a file.</summary>
internal sealed record PromptRequest(string? Task, string? Data, int? Limit, int? Seed, bool NoBos)
{
    private const int DefaultCount = 100;

    /// <summary>The seed, where it decides anything.</summary>
    public int? UsedSeed => Data is null ? Seed ?? 0 : null;

    /// <summary>Checks the options without opening a file.</summary>
    /// <exception cref="UsageException">Neither task nor data, an unknown task, or options that contradict each other.</exception>
    public static PromptRequest Parse(string? task, string? data, int? limit, int? seed, bool noBos)
    {
        if (task is null && data is null) throw new UsageException("name the prompts: --task, --data, or both.");
        if (task is not null) TaskNames.Check(task);
        MethodOptions.Positive("limit", limit);
        if (data is not null && seed is not null) throw new UsageException("--seed does not apply to --data; it is for generated prompts.");
        return new PromptRequest(task, data, limit, seed, noBos);
    }

    /// <summary>Reads or makes the prompts.</summary>
    /// <exception cref="GradpathException">The file or the model's vocabulary cannot be used.</exception>
    public PromptSet Load(Gpt2Checkpoint checkpoint) => Data is null ? Generate(checkpoint) : Read(checkpoint);

    private PromptSet Generate(Gpt2Checkpoint checkpoint)
    {
        if (!checkpoint.HasVocabulary)
            throw new GradpathException($"{checkpoint.Directory}: has no vocab.json and merges.txt, so no prompts can be made for it; give --data with token ids.");
        BpeTokenizer tokenizer = BpeTokenizer.Load(checkpoint.Directory);
        TaskInfo task = TaskCatalog.Find(Task!);
        IReadOnlyList<PromptPair> pairs = PromptGenerator.Generate(task.Name, tokenizer, Limit ?? DefaultCount, (ulong)(uint)UsedSeed!.Value);
        string hash = HashOf(pairs);
        if (!NoBos) pairs = [.. pairs.Select(p => WithBegin(p, tokenizer))];
        return new PromptSet(task.Name, task.Metric, pairs, $"generated, seed {UsedSeed}", hash);
    }

    private PromptSet Read(Gpt2Checkpoint checkpoint) => throw new GradpathException($"{checkpoint.Directory}: reading {Data} is not there yet");

    private static PromptPair WithBegin(PromptPair pair, BpeTokenizer tokenizer)
    {
        int begin = tokenizer.EndOfText
            ?? throw new GradpathException("the vocabulary has no <|endoftext|> to put in front of the prompts; --no-bos goes without.");
        return pair with { Clean = [begin, .. pair.Clean], Corrupted = [begin, .. pair.Corrupted] };
    }

    // Of the prompts as they would stand in a file of token ids.
    private static string HashOf(IReadOnlyList<PromptPair> pairs)
    {
        using MemoryStream stream = new();
        PromptWriter.Write(stream, pairs, tokenizer: null);
        return Convert.ToHexStringLower(SHA256.HashData(stream.GetBuffer().AsSpan(0, (int)stream.Length)));
    }
}
