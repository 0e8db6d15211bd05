using System.Text.Json.Nodes;
using CommandLine;
using CommandLine.Text;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Options;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath path-patch</c>.</summary>
[Verb("path-patch", HelpText =
    "Patch direct paths: what each head, MLP and the input do to the logits, or to a head's query, key or value.")]
internal sealed class PathPatchOptions : PromptedOptions
{
    private const double DefaultThreshold = 5;

    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Option("senders", Separator = ',', MetaValue = "NAME,...",
        HelpText = "Whose output is replaced, each by itself: heads, mlps, input, or single ones such as a9.h6 (default: heads,mlps,"
        + "input).")]
    public IEnumerable<string> Senders { get; set; } = [];

    [Option("receivers", Separator = ',', MetaValue = "NAME,...",
        HelpText = "Whose input the paths lead to, together: logits, m3, a9.h6.q (or .k, .v; a9.h6 for all three) (default: logits).")]
    public IEnumerable<string> Receivers { get; set; } = [];

    [Option("positions", MetaValue = "POSITION", Default = "end",
        HelpText = "Tokens where the receivers' inputs are replaced: all, end, a number (negative from the end), a name such as S2 in "
        + "generated prompts of ioi, or several with commas.")]
    public string Positions { get; set; } = "end";

    [Option("sender-positions", MetaValue = "POSITION", Default = "all", HelpText = "Tokens where a sender's output is replaced.")]
    public string SenderPositions { get; set; } = "all";

    [Option("freeze-mlps", HelpText =
        "Keep the outputs of MLPs between sender and receiver, so that the only path is the edge between them.")]
    public bool FreezeMlps { get; set; }

    [Option("iterate", HelpText = "Follow the strongest senders backwards: their queries, keys and values are the next round's receivers.")]
    public bool Iterate { get; set; }

    [Option("rounds", MetaValue = "N", HelpText = "Most rounds of --iterate (default: 4).")]
    [Range(1, 1_000)]
    public int? Rounds { get; set; }

    [Option("threshold", MetaValue = "PERCENT",
        HelpText = "Senders that change the metric by at least this much are followed and named (default: 5).")]
    [Range(0, 1e30, AboveLeast = true)]
    public double? Threshold { get; set; }

    [Option("top-n", MetaValue = "N", HelpText = "Follow and name the N strongest senders of each round instead.")]
    [Range(1, 1_000_000)]
    public int? TopN { get; set; }

    [Output(IsGraph = true, KeepsProgress = true)]
    [Option("out", MetaValue = "FILE", HelpText =
        "Write the edges that were followed as a circuit: .json or .safetensors. Rounds that are done are kept in FILE.progress until "
        + "then.")]
    public string? Out { get; set; }

    [Output(".csv")]
    [Option("effects", MetaValue = "FILE.csv",
        HelpText = "Write every effect: round, kind, receivers, positions, sender, effect, percent.")]
    public string? Effects { get; set; }

    [Output(".svg", ".html")]
    [Option("picture", MetaValue = "FILE", HelpText = "Draw the heat maps: .svg, or .html with the edges beside them.")]
    public string? Picture { get; set; }

    [Option("resume", HelpText = "Go on from the rounds in FILE.progress that a stopped run has left.")]
    public bool Resume { get; set; }

    /// <inheritdoc />
    protected override bool IsRandom => false;

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("The direct effect of every head on the logits", s_short, new PathPatchOptions { Model = "demo", Task = "ioi" }),
        new("What feeds the query of a head", s_short, new PathPatchOptions { Model = "demo", Task = "ioi", Receivers = ["a3.h1.q"] }),
        new("Backwards from the logits, with a circuit at the end", s_short,
            new PathPatchOptions { Model = "demo", Task = "ioi", Iterate = true, Out = "paths.json" }),
    ];

    /// <summary>How paths are patched and followed, but for what only a model can tell: see <see cref="Named"/>.</summary>
    /// <exception cref="UsageException">An option cannot be used.</exception>
    public PathTracingOptions Tracing() => new()
    {
        Ablation = EnumNames.Parse<Ablation>("ablation", Ablation),
        FreezeMlps = FreezeMlps,
        SenderPositions = ParsePositions("sender-positions", SenderPositions),
        Rounds = Iterate ? Rounds ?? new PathTracingOptions().Rounds : 1,
        Threshold = TopN is null ? (Threshold ?? DefaultThreshold) / 100 : null,
        Top = TopN,
    };

    /// <summary>The options with the senders and receivers that this names.</summary>
    /// <param name="options">The options.</param>
    /// <param name="graph">The model's graph.</param>
    /// <exception cref="OptionException">The model has no such sender or receiver.</exception>
    public PathTracingOptions Named(PathTracingOptions options, ComputationGraph graph) => options with
    {
        Senders = PathNames.Senders(graph, Senders),
        Receivers = PathNames.Receivers(graph, Receivers, ParsePositions("positions", Positions)),
    };

    /// <summary>Puts what the user wrote for senders and receivers in the place of their names one by one.</summary>
    /// <param name="stated">The options as provenance states them.</param>
    public void NameAsGiven(JsonObject stated)
    {
        stated["senders"] = Senders.Any() ? string.Join(' ', Senders) : "heads mlps input";
        stated["receivers"] = Receivers.Any() ? string.Join(' ', Receivers) : "logits";
    }

    /// <summary>Checks the options without opening a file.</summary>
    /// <exception cref="UsageException">An option cannot be used.</exception>
    public void Check()
    {
        CheckShared();
        if (Rounds is not null && !Iterate) throw new UsageException("--rounds goes with --iterate.");
        if (Threshold is not null && TopN is not null) throw new UsageException("give either --threshold or --top-n.");
        if (Resume && Out is null)
            throw new UsageException(
                "--resume needs --out: the rounds to go on from are in the file of that name with .progress behind it.");
        ParsePositions("positions", Positions);
        ParsePositions("sender-positions", SenderPositions);
        if (Out is not null)
        {
            ProgressFile.Check(Out, Resume);
        }
    }

    /// <summary>Refuses positions that a prompt does not have, before anything runs.</summary>
    /// <exception cref="UsageException">A prompt lacks one; the message says which it has.</exception>
    public void RequirePositions(PromptSet prompts)
    {
        foreach ((string option, string text) in new[] { ("positions", Positions), ("sender-positions", SenderPositions) })
        {
            TokenPositions positions = ParsePositions(option, text);
            try
            {
                for (int i = 0; i < prompts.Pairs.Count; i++) positions.Of(prompts.Pairs[i], i + 1);
            }
            catch (GradpathException e)
            {
                throw new UsageException($"--{option} {text}: {e.Message}");
            }
        }
    }

    /// <summary>Positions as an option names them.</summary>
    /// <exception cref="UsageException">They name none.</exception>
    public static TokenPositions ParsePositions(string option, string text)
    {
        try
        {
            return TokenPositions.Parse(text);
        }
        catch (GradpathException e)
        {
            throw new UsageException($"--{option}: {e.Message}");
        }
    }
}
