using CommandLine;
using CommandLine.Text;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath transcode graph</c>.</summary>
[Verb("transcode-graph", HelpText =
    "Attribution graph of a prompt over the features of transcoders: which tokens, features and errors make the model's next token. "
    + "'transcode graph' is short for it.")]
internal sealed class TranscodeGraphOptions : DeviceOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Input(InputKind.Model)]
    [Option("model", Required = true, MetaValue = "MODEL",
        HelpText = "Directory of a GPT-2 checkpoint (config.json, model.safetensors), 'demo', or a name such as gpt2 in the Hugging Face "
        + "cache.")]
    public string Model { get; set; } = "";

    [Option("prompt", Required = true, MetaValue = "TEXT", HelpText = "The prompt; the graph is of the token that comes next.")]
    public string Prompt { get; set; } = "";

    [Option("no-bos", HelpText = "Do not put the model's begin token, usually <|endoftext|>, in front of the prompt.")]
    public bool NoBos { get; set; }

    [Input]
    [Option("transcoders", MetaValue = "DIR", HelpText =
        "Folder of transcoders, one a layer: circuit-tracer's layout (config.yaml, layer_N.safetensors) or SAELens' (cfg.json, "
        + "sae_weights.safetensors) (default: those in the model's folder 'transcoders').")]
    public string? Transcoders { get; set; }

    [Option("folded", HelpText =
        "The transcoders were trained on a model whose LayerNorm gains and shifts were folded into the weights behind them, as "
        + "TransformerLens does.")]
    public bool Folded { get; set; }

    [Output(".json", ".html")]
    [Option("out", Required = true, MetaValue = "FILE", HelpText =
        "The pruned graph: .json in circuit-tracer's format, which its viewer and Neuronpedia open, or .html, a page of its own.")]
    public string Out { get; set; } = "";

    [Option("max-features", MetaValue = "N", Default = 7_500, HelpText =
        "Most features of the graph: those of the largest influence. Others are left out.")]
    [Range(1, 100_000)]
    public int MaxFeatures { get; set; } = 7_500;

    [Option("max-logits", MetaValue = "N", Default = 10, HelpText = "Most tokens whose logits are nodes.")]
    [Range(1, 1_000)]
    public int MaxLogits { get; set; } = 10;

    [Option("logit-probability", MetaValue = "P", Default = 0.95, HelpText =
        "The most probable tokens are nodes until they have this probability together.")]
    [Range(0, 1, AboveLeast = true)]
    public double LogitProbability { get; set; } = 0.95;

    [Option("node-threshold", MetaValue = "SHARE", Default = 0.8, HelpText = "Keep the nodes that have this share of all influence.")]
    [Range(0, 1)]
    public double NodeThreshold { get; set; } = 0.8;

    [Option("edge-threshold", MetaValue = "SHARE", Default = 0.98, HelpText =
        "Keep the edges that have this share of the influence between the nodes that are kept.")]
    [Range(0, 1)]
    public double EdgeThreshold { get; set; } = 0.98;

    [Option("top", MetaValue = "N", Default = 10, HelpText = "How many features to list.")]
    [Range(0, 100_000)]
    public int Top { get; set; } = 10;

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("A graph of the demo model, as a page", s_short, new TranscodeGraphOptions
        {
            Model = "demo", Prompt = "\"When John and Mary went to the store, John gave a drink to\"", Out = "graph.html",
        }),
    ];
}
