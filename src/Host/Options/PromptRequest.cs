using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Host.Reports;

namespace Gradpath.Host.Options;

/// <summary>Which prompts a command asks for: generated for a task, or read from a file.</summary>
internal sealed record PromptRequest
{
    public string? Task { get; init; }

    public string? Data { get; init; }

    public int? Limit { get; init; }

    /// <summary>How many of the first pairs are left out.</summary>
    public int? Skip { get; init; }

    /// <summary>How many pairs of a file are drawn; null for all.</summary>
    public int? Sample { get; init; }

    /// <summary>Which half of the pairs is taken, as the option has it; null for both.</summary>
    public string? Split { get; init; }

    /// <summary>The options that give <see cref="Limit"/>, as messages name them.</summary>
    public string LimitOptions { get; init; } = "--limit";

    public int? Seed { get; init; }

    /// <summary>Whether the method draws random numbers, so that a seed decides something even where prompts are read.</summary>
    public bool SeedsMethod { get; init; }

    public Metric? Metric { get; init; }

    /// <summary>Whether scores or a search depend on the metric; else it only judges.</summary>
    public bool ReadsMetric { get; init; } = true;

    public string? Answer { get; init; }

    public bool NoBos { get; init; }

    public bool HardCorruption { get; init; }

    /// <summary>The report that has the first pair, which is also shown before the work starts; null where nobody asks.</summary>
    public CommandReport? ShowFirstIn { get; init; }

    /// <summary>The seed, where it decides anything.</summary>
    public int? UsedSeed => Data is null || SeedsMethod || Sample is not null ? Seed ?? 0 : null;

    private PromptSplit? Half => Split is null ? null : EnumNames.Parse<PromptSplit>("split", Split);

    private AnswerReading Reading => Answer is null ? AnswerReading.OneToken : EnumNames.Parse<AnswerReading>("answer", Answer);

    /// <summary>Checks the options without opening a file.</summary>
    /// <exception cref="UsageException">Neither task nor data, an unknown task, or options that contradict each other.</exception>
    public void Check()
    {
        if (Task is null && Data is null) throw new UsageException("name the prompts: --task, --data, or both.");
        CircuitTask? task = Task is null ? null : TaskNames.Parse(Task);
        if (Sample is not null && Data is null)
            throw new UsageException($"--sample {Sample}: draws pairs of --data; generated prompts are drawn already, by --seed.");
        _ = Half;
        if (Data is not null && Seed is not null && !SeedsMethod && Sample is null)
            throw new UsageException("--seed decides nothing here: the prompts of --data are read and nothing else is drawn at random.");
        CheckAnswer();
        if (HardCorruption && (task?.HardCorruptionColumn is null || Data is null))
        {
            string tasks = EnumNames.Choice(TaskHelp.HardlyCorrupted.Select(t => t.Name));
            throw new UsageException(
                $"--hard-corruption is for CSV files of {tasks}: --task {TaskHelp.HardlyCorrupted.First()} --data FILE.csv.");
        }
    }

    // Prompts of ids are shown as ids where the vocabulary beside the model cannot be read.
    private static BpeTokenizer? FirstTokenizer(Lazy<BpeTokenizer>? tokenizer)
    {
        try
        {
            return tokenizer?.Value;
        }
        catch (GradpathException)
        {
            return null;
        }
    }

    private void CheckAnswer()
    {
        if (Reading == AnswerReading.OneToken) return;
        if (Data is null || Task is not null)
        {
            throw new UsageException(
                $"--answer {Answer} is for --data FILE.jsonl without --task: tasks have answers of one token, or files that say which.");
        }
        if (Reading == AnswerReading.Sequence && Metric is not null && Metric != BuiltInMetrics.LogProbability)
        {
            string use = $"use --metric {BuiltInMetrics.LogProbability}";
            throw new UsageException($"--answer {Answer} sums log-probabilities, which --metric {Metric} does not read; {use}.");
        }
    }

    /// <summary>Reads or makes the prompts, checked against the model's limits, and says what a user should know of their tokens.</summary>
    public PromptSet Load(Gpt2Checkpoint checkpoint, Terminal terminal, CancellationToken cancellation)
    {
        // Prompts of token ids need no vocabulary, not even a readable one.
        Lazy<BpeTokenizer>? tokenizer = checkpoint.HasVocabulary ? new(() => BpeTokenizer.Load(checkpoint.Directory)) : null;
        PromptOptions options = new()
        {
            Vocabulary = checkpoint.Config.Vocabulary,
            Positions = checkpoint.Config.Positions,
            PrependBos = !NoBos,
            Limit = Limit,
            Skip = Skip ?? 0,
            Sample = Sample,
            Split = Half,
            Seed = (ulong)(UsedSeed ?? 0),
            Metric = Metric,
            MetricIsRead = ReadsMetric,
            AnswerReading = Reading,
            HardCorruption = HardCorruption,
        };
        int total = Limit ?? (Data is null ? PromptOptions.DefaultCount : 0);
        PromptSet prompts = PromptProgress.Run(
            terminal, total, LimitOptions, progress => PromptLoader.LoadLazily(Task, Data, tokenizer, options, progress, cancellation));
        TokenizerNotes.Warn(terminal, prompts.Warnings);
        if (Data is not null && Split is null && Limit > prompts.Pairs.Count)
            terminal.Remark($"{prompts.Source} has {Sizes.Of(prompts.Pairs.Count, "prompt pair")}, fewer than {LimitOptions} {Limit}");
        if (tokenizer is { IsValueCreated: true } && tokenizer.Value.SizeDifference(checkpoint.Config.Vocabulary) is { } difference)
            terminal.Warn(difference, "note");
        if (ShowFirstIn is null) return prompts;
        PromptPreview preview = new(prompts, FirstTokenizer(tokenizer));
        ShowFirstIn.Fact("first_pair", preview.ToJson());
        if (!terminal.Json && !terminal.Quiet) preview.Write(terminal.Out);
        return prompts;
    }
}
