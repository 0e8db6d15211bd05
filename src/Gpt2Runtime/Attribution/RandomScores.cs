using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// The baseline that knows nothing: every edge, then every node, gets a number drawn uniformly from (0, 1), in row-major order.
/// The numbers depend on the seed and the graph alone, not on prompts, weights, batches or machine.
/// </summary>
internal sealed class RandomScores : BatchScorer
{
    private readonly ulong _seed;

    /// <summary>Sets up the draw.</summary>
    /// <param name="context">The run.</param>
    /// <param name="settings">The seed.</param>
    public RandomScores(RunContext context, ScoringSettings settings)
        : base(context)
    {
        _seed = settings.Seed;
    }

    /// <inheritdoc />
    public override ScoreSums Finish()
    {
        ComputationGraph graph = Context.Graph;
        var random = new SplitMix64(_seed);
        var edges = new double[graph.Writers * graph.Readers];
        for (int row = 0; row < graph.Writers; row++)
        {
            for (int column = 0; column < graph.Readers; column++)
            {
                if (graph.IsEdge(row, column)) edges[(row * graph.Readers) + column] = random.NextUniform();
            }
        }
        return new ScoreSums(edges, [.. Enumerable.Range(0, graph.Writers).Select(_ => (double)random.NextUniform())]);
    }

    /// <inheritdoc />
    protected override void ScoreBatch(WeightedBatch batch)
    {
        // No batch changes them.
    }
}
