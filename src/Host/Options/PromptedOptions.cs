using CommandLine;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Host.Options;

/// <summary>What the commands share that run circuits of a model on prompts.</summary>
internal abstract class PromptedOptions : ModelPromptOptions
{
    [Option("ablation", MetaValue = "KIND", Default = "patching",
        HelpText = "What edges outside a circuit carry: patching (the writer's output on the corrupted prompt), zero or mean-positional.")]
    public string Ablation { get; set; } = "patching";

    [Option("seed", MetaValue = "N", HelpText = "Seed of generated prompts and of all random draws (default: 0).")]
    [Range(0, int.MaxValue)]
    public int? Seed { get; set; }

    /// <summary>Whether the command draws random numbers, beside those of generated prompts.</summary>
    protected virtual bool IsRandom => true;

    /// <summary>Whether what the command computes depends on the metric; else it only judges what was found.</summary>
    protected virtual bool ReadsMetric => true;

    /// <summary>How the command divides the prompts itself; null where it does not.</summary>
    protected virtual string? OwnSplit => null;

    /// <summary>The prompts that the options name.</summary>
    public PromptRequest Prompts() => new()
    {
        Task = Task,
        Data = Data,
        Limit = Limit,
        Skip = Skip,
        Sample = Sample,
        Split = Split,
        Seed = Seed,
        SeedsMethod = IsRandom,
        ReadsMetric = ReadsMetric,
        Metric = Metric is null ? null : MetricNames.Parse("metric", Metric),
        Answer = Answer,
        NoBos = NoBos,
        HardCorruption = HardCorruption,
    };

    /// <summary>Checks what these commands share, without opening a file.</summary>
    /// <exception cref="UsageException">An option cannot be used.</exception>
    public void CheckShared()
    {
        Prompts().Check();
        CheckRun();
    }

    /// <summary>Checks what does not depend on the prompts.</summary>
    /// <exception cref="UsageException">An option cannot be used.</exception>
    protected void CheckRun()
    {
        if (Split is not null && OwnSplit is { } own) throw new UsageException($"--split {Split}: {own}.");
        ComputeDevice.Check(this);
        _ = BatchSize;
        EnumNames.Parse<Ablation>("ablation", Ablation);
    }
}
