using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// Information flow routes (Ferrando and Voita 2024): an edge's importance is how much of the reader's input the writer makes up,
/// max(0, |y|_1 - |y - z_u|_1) normalised over the writers, on the clean run. Queries, keys and values of a layer read the same input.
/// </summary>
internal sealed class InformationFlowRoutes : BatchScorer
{
    private readonly Activations _activations;
    private readonly Tensor _embeddings;
    private readonly WriterOutputs _writers;
    private readonly WriterDifferences _outputs;
    private readonly DeviceArray<double> _scores;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="context">The run.</param>
    public InformationFlowRoutes(RunContext context)
        : base(context)
    {
        var one = PassCapacity.For(context.Largest, 1, false);
        _activations = Own(new Activations(context.Config, context.Device, one, keepWriters: true));
        _embeddings = Own(context.Device.Allocate(one.Rows, context.Config.Width));
        _writers = Own(new WriterOutputs(context.Config, context.Device, one));
        _outputs = Own(new WriterDifferences(context.Weights, one, false));
        _scores = Own(context.Device.AllocateZeroArray<double>((long)context.Graph.Writers * ((2 * context.Config.Layers) + 1)));
    }

    /// <inheritdoc />
    public override ScoreSums Finish() => new(ToColumns(_scores.ToArray()), null);

    /// <inheritdoc />
    protected override void ScoreBatch(WeightedBatch batch)
    {
        PassShape one = Context.Shapes.Get(batch.Spans, 1, false);
        int d = Context.Config.Width;
        int layers = Context.Config.Layers;
        int boundaries = (2 * layers) + 1;
        float[] rowWeights = [.. batch.HostItemWeights.SelectMany((w, i) =>
            Enumerable.Repeat((float)(w / batch.Spans[i].Length), batch.Spans[i].Length))];
        using Tensor weights = Context.Device.StoreTensor(rowWeights, rowWeights.Length);
        Context.Device.GatherRows(Context.Weights.TokenEmbedding, batch.CleanTokens, batch.Rows, d, _embeddings);
        Context.Forward.Embed(one, _activations, _embeddings);
        Context.Forward.Run(one, _activations);
        _writers.Take(one, _activations, _embeddings, 0);
        _outputs.Spread(one, _writers);
        Advance("flow", 0.3);
        for (int b = 0; b < boundaries; b++)
        {
            int writers = Context.Graph.WritersBeforeSublayer(b);
            Context.Device.Proximity(
                _activations.Boundaries[b].Residual, _outputs.AtAllRows, writers, one.Rows, d, weights, new ScoreBlock(
                    _scores, boundaries, b));
        }
    }

    // One column per boundary becomes one per reader.
    private double[] ToColumns(double[] byBoundary)
    {
        int boundaries = (2 * Context.Config.Layers) + 1;
        var scores = new double[Context.Graph.Writers * (long)Context.Graph.Readers];
        for (int column = 0; column < Context.Graph.Readers; column++)
        {
            int boundary = Context.Graph.SublayerOfColumn(column);
            for (int row = 0; row < Context.Graph.WritersBefore(column); row++)
            {
                scores[((long)row * Context.Graph.Readers) + column] = byBoundary[(row * boundaries) + boundary];
            }
        }
        return scores;
    }
}
