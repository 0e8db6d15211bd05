using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// Everything that decides which circuit a search finds. Each search has options of its own beside these. What is null has its default;
/// an option that the search does not read is refused.
/// </summary>
public abstract record SearchOptions
{
    /// <summary>Begins with the defaults.</summary>
    private protected SearchOptions()
    {
    }

    /// <summary>The metric that circuits are judged by; null for the search's default, see the options of each.</summary>
    public Metric? Metric { get; init; }

    /// <summary>What edges outside the circuit carry.</summary>
    public Ablation Ablation { get; init; } = Ablation.Patching;

    /// <summary>Prompt pairs per pass; 0 for the search's default.</summary>
    public int BatchSize { get; init; }

    /// <summary>Seed of all random draws; 0 by default.</summary>
    public ulong? Seed { get; init; }

    /// <summary>What gives the scores that the search starts from.</summary>
    public IEdgeScorer? Scorer { get; init; }

    /// <summary>
    /// The search's own options, as provenance states them. Metric, ablation, seed and the batch size of a search that does not depend on
    /// it have places of their own there.
    /// </summary>
    /// <param name="graph">The model's graph, for names.</param>
    /// <returns>Flat names and values.</returns>
    public abstract JsonObject Describe(ComputationGraph graph);

    /// <summary>The same options for another size, see <see cref="CircuitSearch.Sizing"/>.</summary>
    /// <param name="size">A sparsity or a threshold.</param>
    /// <returns>The options.</returns>
    internal virtual SearchOptions At(double size) => throw new NotSupportedException("the search cannot be asked for a size");
}
