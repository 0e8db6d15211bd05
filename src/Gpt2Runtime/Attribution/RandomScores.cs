using Gradpath.Gpt2Runtime.Tasks.Generators;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// The baseline that knows nothing: every edge, then every node, gets a number drawn uniformly from (0, 1), in row-major order.
/// The numbers depend on the seed and the graph alone, not on prompts, weights, batches or machine.
/// </summary>
internal sealed class RandomScores : BatchScorer
{
    /// <summary>Draws the scores.</summary>
    /// <param name="context">The run.</param>
    public RandomScores(ScoringContext context)
    {
        var random = new SplitMix64(context.Options.Seed);
        var scores = new double[context.Graph.Writers * context.Graph.Readers];
        for (int row = 0; row < context.Graph.Writers; row++)
        {
            for (int column = 0; column < context.Graph.Readers; column++)
            {
                if (context.Graph.IsEdge(row, column)) scores[(row * context.Graph.Readers) + column] = random.NextUniform();
            }
        }
        context.HostScores = scores;
        context.NodeScores = [.. Enumerable.Range(0, context.Graph.Writers).Select(_ => (double)random.NextUniform())];
    }

    /// <inheritdoc />
    public override void Score(ScoringBatch batch)
    {
        // No batch changes them.
    }
}
