using System.Globalization;
using CommandLine;
using Gradpath.Gpt2Runtime;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Options;

/// <summary>What all commands share that run a model on prompts.</summary>
internal abstract class ModelPromptOptions : DeviceOptions
{
    [Input(InputKind.Model)]
    [Option("model", Required = true, MetaValue = "MODEL",
        HelpText = "Directory of a GPT-2 checkpoint (config.json, model.safetensors), 'demo', 'saturated', or a name such as gpt2 in the "
        + "Hugging Face cache.")]
    public string Model { get; set; } = "";

    [Option("task", MetaValue = "TASK", HelpText =
        "Task whose prompts to generate, or whose CSV file --data names (see 'gradpath tasks').")]
    public string? Task { get; set; }

    [Input(InputKind.Prompts)]
    [Option("data", MetaValue = "PATH", HelpText =
        "Prompt pairs: a JSONL or JSON file, or with --task a CSV file of that task or a directory that holds it.")]
    public string? Data { get; set; }

    [Option("metric", MetaValue = "METRIC", ResourceType = typeof(MetricHelp), HelpText = nameof(MetricHelp.Metric))]
    public string? Metric { get; set; }

    [Option("batch-size", MetaValue = "N", HelpText = "Prompt pairs per pass, or auto: as many as --memory allows (default).")]
    public virtual string? BatchSizeText { get; set; }

    /// <summary>Pairs per pass, or null where the program chooses.</summary>
    public int? BatchSize => BatchSizeText is null || TableNames.Same(BatchSizeText, "auto") ? null
        : int.TryParse(BatchSizeText, NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n is > 0 and <= 1_000_000 ? n
        : throw new UsageException($"--batch-size {BatchSizeText}: give a number of prompt pairs from 1 to 1000000, or auto.");

    [Option("limit", MetaValue = "N", HelpText = "Use the first N prompt pairs; for generated prompts, how many to make (default: 100).")]
    [Range(1, 1_000_000)]
    public virtual int? Limit { get; set; }

    [Option("skip", MetaValue = "N", HelpText = "Leave out the first N prompt pairs.")]
    [Range(0, 1_000_000)]
    public int? Skip { get; set; }

    [Option("sample", MetaValue = "N", HelpText =
        "Draw N prompt pairs of --data with --seed; they stay in the file's order, and --limit takes the first of them.")]
    [Range(1, 1_000_000)]
    public int? Sample { get; set; }

    [Option("split", MetaValue = "HALF", HelpText =
        "Use one half of all these pairs: train, the first, to find circuits on, or judge, the other, to judge them on.")]
    public string? Split { get; set; }

    [Option("answer", MetaValue = "READING", HelpText =
        "Answer texts of several tokens in --data: one-token (refuse them; default), first-token (judge by the first), or sequence (judge "
        + "by the sum of their tokens' log-probabilities, with --metric log-prob).")]
    public string? Answer { get; set; }

    [Option("no-bos", HelpText = "Do not put the model's begin token, usually <|endoftext|>, in front of prompts that are text.")]
    public bool NoBos { get; set; }

    [Option("hard-corruption", ResourceType = typeof(TaskHelp), HelpText = nameof(TaskHelp.HardCorruption))]
    public bool HardCorruption { get; set; }
}
