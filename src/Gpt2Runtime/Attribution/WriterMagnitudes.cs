using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// The baseline that looks at activations only: an edge's score is how far the corruption moves its writer,
///   score[u, v] = mean over items of sum over positions of ||corrupted - clean output of u||_2.
/// All edges of a writer have the same score, which is also its score as a node; a ranking orders them by column.
/// </summary>
internal sealed class WriterMagnitudes : BatchScorer
{
    private readonly Activations _activations;
    private readonly Tensor _embeddings;
    private readonly WriterOutputs _clean;
    private readonly WriterOutputs _difference;
    private readonly WriterDifferences _delta;
    private readonly DeviceArray<double> _squares;
    private readonly double[] _hostSquares;
    private readonly double[] _nodes;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="context">The run.</param>
    public WriterMagnitudes(RunContext context)
        : base(context)
    {
        var one = PassCapacity.For(context.Largest, 1, false);
        _activations = Own(new Activations(context.Config, context.Device, one, keepWriters: true));
        _embeddings = Own(context.Device.Allocate(one.Rows, context.Config.Width));
        _clean = Own(new WriterOutputs(context.Config, context.Device, one));
        _difference = Own(new WriterOutputs(context.Config, context.Device, one));
        _delta = Own(new WriterDifferences(context.Weights, one, false));
        _squares = Own(context.Device.AllocateArray<double>((long)context.Graph.Writers * one.Rows));
        _hostSquares = new double[context.Graph.Writers * (long)one.Rows];
        _nodes = new double[context.Graph.Writers];
    }

    /// <inheritdoc />
    public override ScoreSums Finish()
    {
        ComputationGraph graph = Context.Graph;
        var edges = new double[graph.Writers * graph.Readers];
        for (int column = 0; column < graph.Readers; column++)
        {
            for (int row = 0; row < graph.WritersBefore(column); row++) edges[(row * graph.Readers) + column] = _nodes[row];
        }
        return new ScoreSums(edges, _nodes);
    }

    /// <inheritdoc />
    protected override void ScoreBatch(WeightedBatch batch)
    {
        PassShape one = Context.Shapes.Get(batch.Spans, 1, false);
        Run(one, batch, batch.CleanTokens, _clean);
        Run(one, batch, batch.CorruptedTokens, _difference);
        _difference.Combine(one, 1, _difference, -1, _clean);
        _delta.Spread(one, _difference);
        int rows = Context.Graph.Writers * one.Rows;
        Context.Device.RowDots(_delta.AtAllRows, _delta.AtAllRows, rows, rows, Context.Config.Width, _squares);
        Context.Device.Download(_squares, _hostSquares.AsSpan(0, rows));
        for (int writer = 0; writer < _nodes.Length; writer++)
            _nodes[writer] += Norms(batch, _hostSquares.AsSpan(writer * one.Rows, one.Rows));
    }

    private static double Norms(WeightedBatch batch, ReadOnlySpan<double> squares)
    {
        double sum = 0;
        int row = 0;
        for (int i = 0; i < batch.Spans.Length; i++)
        {
            double item = 0;
            for (int end = row + batch.Spans[i].Length; row < end; row++) item += Math.Sqrt(squares[row]);
            sum += batch.HostItemWeights[i] * item;
        }
        return sum;
    }

    private void Run(PassShape shape, WeightedBatch batch, DeviceArray<int> tokens, WriterOutputs writers)
    {
        Context.Device.GatherRows(Context.Weights.TokenEmbedding, tokens, batch.Rows, Context.Config.Width, _embeddings);
        Context.Forward.Embed(shape, _activations, _embeddings);
        Context.Forward.Run(shape, _activations);
        writers.Take(shape, _activations, _embeddings, 0);
        Advance("magnitudes", 0.4);
    }
}
