using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// How paths are patched, and how strong senders are followed backwards. <see cref="SearchOptions.Metric"/> is by default the prompt set's
/// own.
/// </summary>
public sealed record PathTracingOptions : SearchOptions
{
    /// <summary>Rows of the writers that are asked for; null for all.</summary>
    public IReadOnlyList<int>? Senders { get; init; }

    /// <summary>The receivers of the first round; null for the logits at the last token.</summary>
    public IReadOnlyList<PathReceiver>? Receivers { get; init; }

    /// <summary>Where a sender's output is replaced.</summary>
    public TokenPositions SenderPositions { get; init; } = TokenPositions.All;

    /// <summary>
    /// Whether MLPs keep their clean outputs, as heads always do, so that the only path is the edge from sender to receiver.
    /// </summary>
    public bool FreezeMlps { get; init; }

    /// <summary>Most rounds; the first one asks for the given receivers.</summary>
    public int Rounds { get; init; } = 4;

    /// <summary>
    /// Senders are followed whose effect is at least this share of the clean metric, in either direction; null where <see cref="Top"/>
    /// decides.
    /// </summary>
    public double? Threshold { get; init; } = 0.05;

    /// <summary>The number of strongest pairs of a sender and the kind of input it reaches that are followed per round, or null.</summary>
    public int? Top { get; init; }

    /// <summary>How paths are patched.</summary>
    internal PathPatchingOptions Patching => new()
    {
        Metric = Metric,
        Ablation = Ablation,
        FreezeMlps = FreezeMlps,
        SenderPositions = SenderPositions,
        BatchSize = BatchSize,
    };

    /// <summary>Refuses a threshold where it would be a share of nothing.</summary>
    /// <param name="metric">The metric.</param>
    /// <exception cref="OptionException">The metric is 0 in the clean run.</exception>
    internal void RequireShare(Metric metric)
    {
        if (!metric.MeasuresDistance || Threshold is null) return;
        const string Reason = "the distance from the clean run is 0 in the clean run, so that no effect is a share of it";
        throw new OptionException($"{Reason}: say with {Terms.Top} how many senders to follow, not with {Terms.Threshold} what share");
    }

    /// <inheritdoc />
    public override JsonObject Describe(ComputationGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        IEnumerable<TokenPositions> positions = (Receivers?.Select(r => r.Positions) ?? [TokenPositions.End]).Distinct();
        JsonObject options = new()
        {
            ["senders"] = Senders is null ? "heads mlps input" : string.Join(' ', Senders.Select(graph.WriterName)),
            ["receivers"] = Receivers is null ? "logits" : string.Join(' ', Receivers.Select(r => graph.ReaderName(r.Column))),
            ["positions"] = string.Join(' ', positions.Select(p => p.Text)),
            ["sender-positions"] = SenderPositions.Text,
            ["freeze-mlps"] = FreezeMlps,
        };
        if (Top is { } top) options["top-n"] = top;
        else options["threshold"] = Threshold * 100;
        return options;
    }
}
