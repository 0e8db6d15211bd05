using System.Globalization;
using CommandLine;
using CommandLine.Text;
using Gradpath.Host.Options;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath transcode train</c>.</summary>
[Verb("transcode-train", HelpText =
    "Train a transcoder of each layer's MLP: sparse features that read what it reads and write what it writes. 'transcode train' is short "
    + "for it.")]
internal sealed class TranscodeTrainOptions : DeviceOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Input(InputKind.Model)]
    [Option("model", Required = true, MetaValue = "MODEL",
        HelpText = "Directory of a GPT-2 checkpoint (config.json, model.safetensors), 'demo', or a name such as gpt2 in the Hugging Face "
        + "cache.")]
    public string Model { get; set; } = "";

    [Option("layer", MetaValue = "LAYERS", Default = "all", HelpText = "all, or layers such as 0,3.")]
    public string Layer { get; set; } = "all";

    [Input]
    [Option("data", MetaValue = "FILE.txt", HelpText =
        "A text file to run the model on: every line is a text of its own, and one that is too long is cut into several.")]
    public string? Data { get; set; }

    [Option("tasks", Separator = ',', MetaValue = "TASK,...", HelpText =
        "In place of --data: the clean and corrupted prompts that are generated for these tasks (see 'gradpath tasks').")]
    public IEnumerable<string> Tasks { get; set; } = [];

    [Option("limit", MetaValue = "N", HelpText = "Use the first N lines of --data, or N prompt pairs of each task (default: all, or 500).")]
    [Range(1, 10_000_000)]
    public int? Limit { get; set; }

    [Option("no-bos", HelpText = "Do not put the model's begin token, usually <|endoftext|>, in front of the texts.")]
    public bool NoBos { get; set; }

    [Option("features", MetaValue = "N", Default = 512, HelpText = "Features a layer.")]
    [Range(1, 1_000_000)]
    public int Features { get; set; } = 512;

    [Option("active", MetaValue = "K", Default = 16, HelpText = "Features that are active at a position: those of the K largest values.")]
    [Range(1, 1_000_000)]
    public int Active { get; set; } = 16;

    [Option("steps", MetaValue = "N", Default = 2_000, HelpText = "Steps of AdamW.")]
    [Range(1, 10_000_000)]
    public int Steps { get; set; } = 2_000;

    [Option("step-tokens", MetaValue = "N", Default = 1_024, HelpText = "Tokens of a step, at most; a longer text is a step of its own.")]
    [Range(1, 1_000_000)]
    public int StepTokens { get; set; } = 1_024;

    [Option("learning-rate", MetaValue = "RATE", Default = 2e-3, HelpText =
        "The largest step of a weight, where outputs have a root mean square of 1. It falls to 0 over the last fifth.")]
    [Range(0, 10, AboveLeast = true)]
    public double LearningRate { get; set; } = 2e-3;

    [Option("seed", MetaValue = "N", Default = 0, HelpText = "Seed of generated prompts, of the first weights and of the order of texts.")]
    [Range(0, int.MaxValue)]
    public int Seed { get; set; }

    [Output(IsFolder = true)]
    [Option("out", Required = true, MetaValue = "DIR", HelpText =
        "Folder for config.yaml and layer_N.safetensors, in circuit-tracer's layout; made where it is missing.")]
    public string Out { get; set; } = "";

    [Option("resume", HelpText = "Go on with a run that was stopped: repeat its options and add this.")]
    public bool Resume { get; set; }

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("Small transcoders of the demo model", s_short, new TranscodeTrainOptions
        {
            Model = "demo", Tasks = ["ioi", "greater-than"], Features = 256, Out = "transcoders",
        }),
    ];

    /// <summary>The names of the tasks.</summary>
    public string[] TaskList => [.. Tasks.Select(t => TaskNames.Parse(t, "tasks").Name).Distinct()];

    /// <summary>The layers that the option names; null for all.</summary>
    public int[]? LayerList => Layer == "all" ? null : [.. Layer.Split(',').Select(ParseLayer).Distinct().Order()];

    /// <inheritdoc />
    public override IEnumerable<NamedPath> FurtherOutputs()
    {
        yield return new NamedPath("out", Path.Combine(Out, TranscodeTrainCommand.StateFile));
        yield return new NamedPath("out", Path.Combine(Out, Sessions.TranscoderFolder.ConfigFile));
        foreach (int layer in LayerList ?? []) yield return new NamedPath("out", TranscodeTrainCommand.FileOf(Out, layer));
    }

    /// <summary>Checks the options without opening a file.</summary>
    /// <exception cref="UsageException">Options that contradict each other.</exception>
    public void Check()
    {
        if (Data is null == (TaskList.Length == 0)) throw new UsageException("name the texts: either --data or --tasks.");
        if (Active > Features)
            throw new UsageException($"--active {Active}: there are only --features {Features}.");
        _ = LayerList;
        ComputeDevice.Check(this);
    }

    private int ParseLayer(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int layer)
        ? layer
        : throw new UsageException($"--layer {Layer}: give all, or numbers of layers such as 0,3.");
}
