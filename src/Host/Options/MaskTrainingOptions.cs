using CommandLine;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Reports.Csv;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Options;

/// <summary>What the commands share that train masks on edges.</summary>
internal abstract class MaskTrainingOptions : PromptedOptions
{
    [Option("batch-size", MetaValue = "N", HelpText = "Prompt pairs per training step (default: 32).")]
    public override string? BatchSizeText { get; set; }

    [Option("sparsity", MetaValue = "S", Default = 0.95, HelpText = "Share of all edges that the circuit lacks.")]
    [Range(0, 1, AboveLeast = true, BelowMost = true)]
    public double Sparsity { get; set; } = 0.95;

    [Option("steps", MetaValue = "N", HelpText =
        "Training steps (default: 3000, as published for GPT-2 small; 1500 for graphs of fewer than 5000 edges).")]
    [Range(1, 1_000_000)]
    public int? Steps { get; set; }

    [Option("target", MetaValue = "S", HelpText = "Sparsity that training aims at; above 1 prunes harder (default: --sparsity).")]
    [Range(0, 2, AboveLeast = true)]
    public double? Target { get; set; }

    [Option("target-warmup", MetaValue = "N", HelpText = "Steps over which that target grows from 0 (default: 5/6 of --steps).")]
    [Range(1, 1_000_000)]
    public int? TargetWarmup { get; set; }

    [Option("schedule", MetaValue = "KIND", Default = "linear",
        HelpText = "How it grows: linear, or logarithmic (1 - target falls by the same factor each step).")]
    public string Schedule { get; set; } = "linear";

    [Option("rate-warmup", MetaValue = "N", HelpText =
        "Steps over which the learning rates grow, before they fall to 0 (default: 1/15 of --steps).")]
    [Range(0, 1_000_000)]
    public int? RateWarmup { get; set; }

    [Option("learning-rate", MetaValue = "R", Default = 0.8, HelpText = "Learning rate of the masks.")]
    [Range(0, 1e6, AboveLeast = true)]
    public double LearningRate { get; set; } = 0.8;

    [Option("multiplier-rate", MetaValue = "R",
        HelpText = "Learning rate of the Lagrange multipliers (default: 0.8 times edges / 32491 times 3000 / steps, at most 0.8).")]
    [Range(0, 1e6, AboveLeast = true)]
    public double? MultiplierRate { get; set; }

    [Option("weight-decay", MetaValue = "R", HelpText = "AdamW's weight decay (default: 0.01 times 3000 / steps, at most 0.1).")]
    [Range(0, 1e6)]
    public double? WeightDecay { get; set; }

    [Option("max-gradient-norm", MetaValue = "X", Default = 1.0, HelpText = "Scale gradients down to this norm.")]
    [Range(0, 1e6, AboveLeast = true)]
    public double MaxGradientNorm { get; set; } = 1;

    [Option("node-masks", HelpText = "Give every writer a mask too, which multiplies those of its edges.")]
    public bool NodeMasks { get; set; }

    [Option("node-target", MetaValue = "S", HelpText =
        "With --node-masks: sparsity of writers to aim at (default: none, the loss decides).")]
    [Range(0, 1)]
    public double? NodeTarget { get; set; }

    [Option("draws", MetaValue = "N", Default = 1, HelpText =
        "Draw and train the masks N times, and keep the circuit of lowest KL on the pairs trained on (2 or 3 avoid unlucky draws).")]
    [Range(1, 1000)]
    public int Draws { get; set; } = 1;

    [Output(IsGraph = true, KeepsProgress = true)]
    [Option("out", Required = true, MetaValue = "FILE",
        HelpText = "Write the circuit, with the masks as its scores: .json or .safetensors.")]
    public string Out { get; set; } = "";

    [Output(".csv")]
    [Option("log", MetaValue = "FILE.csv", HelpText =
        "Write every step of the draw that is kept: KL, losses, targets, sparsities ('gradpath report --training' draws them).")]
    public string? Log { get; set; }

    [Option("resume", HelpText = SharedHelp.Resume)]
    public bool Resume { get; set; }

    /// <summary>The options for training, after all checks that need no model.</summary>
    /// <typeparam name="T">The options of edge pruning, or of a search that ends in it.</typeparam>
    /// <param name="defaults">What the command knows of them beside.</param>
    /// <exception cref="UsageException">An option cannot be used.</exception>
    /// <exception cref="OptionException">An option cannot be used with the others.</exception>
    public T Training<T>(T defaults)
        where T : EdgePruningOptions
    {
        T options = Settings(defaults);
        ProgressFile.Check(Out, Resume);
        return options;
    }

    /// <summary>The same without a look at the result's file.</summary>
    /// <inheritdoc cref="Training"/>
    public T Settings<T>(T defaults)
        where T : EdgePruningOptions
    {
        CheckShared();
        EdgePruningOptions options = defaults;
        options = options with
        {
            Sparsity = Sparsity,
            Target = Target,
            Steps = Steps ?? 0,
            TargetWarmup = TargetWarmup,
            Schedule = EnumNames.Parse<TargetSchedule>("schedule", Schedule),
            RateWarmup = RateWarmup,
            LearningRate = LearningRate,
            MultiplierRate = MultiplierRate,
            WeightDecay = WeightDecay,
            MaxGradientNorm = MaxGradientNorm,
            BatchSize = BatchSize ?? EdgePruningOptions.PublishedBatch,
            NodeMasks = NodeMasks,
            NodeTarget = NodeTarget,
            Draws = Draws,
            Ablation = EnumNames.Parse<Ablation>("ablation", Ablation),
            Seed = (ulong)(Seed ?? 0),
        };
        options.Resolve(EdgePruningOptions.SmallGraph);
        return (T)options;
    }
}
