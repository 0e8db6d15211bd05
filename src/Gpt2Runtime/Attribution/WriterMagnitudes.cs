using Gradpath.Gpt2Runtime.Model;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// The baseline that looks at activations only: an edge's score is how far the corruption moves its writer,
///   score[u, v] = mean over items of sum over positions of ||corrupted - clean output of u||_2.
/// All edges of a writer have the same score, which is also its score as a node; a ranking orders them by column.
/// </summary>
internal sealed class WriterMagnitudes : BatchScorer
{
    private readonly ScoringContext _context;
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
    /// <param name="spans">The largest batch.</param>
    public WriterMagnitudes(ScoringContext context, PromptSpan[] spans)
    {
        _context = context;
        var one = PassCapacity.For(spans, 1, false);
        _activations = Own(new Activations(context.Config, context.Device, one, keepWriters: true));
        _embeddings = Own(context.Device.Allocate(one.Rows, context.Config.Width));
        _clean = Own(new WriterOutputs(context.Config, context.Device, one));
        _difference = Own(new WriterOutputs(context.Config, context.Device, one));
        _delta = Own(new WriterDifferences(context.Weights, one, false));
        _squares = Own(context.Device.AllocateArray<double>((long)context.Graph.Writers * one.Rows));
        _hostSquares = new double[context.Graph.Writers * (long)one.Rows];
        _nodes = new double[context.Graph.Writers];
        context.NodeScores = _nodes;
        context.HostScores = new double[context.Graph.Writers * context.Graph.Readers];
    }

    /// <summary>Bytes of the workspaces for a batch.</summary>
    /// <param name="weights">The model.</param>
    /// <param name="spans">The batch.</param>
    /// <returns>Bytes.</returns>
    public static long Bytes(Checkpoints.Gpt2Weights weights, IReadOnlyList<PromptSpan> spans)
    {
        var one = PassCapacity.For(spans, 1, false);
        long writers = 1 + (weights.Config.Layers * (weights.Config.Heads + 1L));
        return Activations.Bytes(weights.Config, one, true)
            + WriterDifferences.Bytes(weights.Config, one, false)
            + (2 * WriterOutputs.Bytes(weights.Config, one))
            + (sizeof(double) * writers * one.Rows);
    }

    /// <inheritdoc />
    public override void Score(ScoringBatch batch)
    {
        PassShape one = _context.Shapes.Get(batch.Spans, 1, false);
        Run(one, batch, batch.CleanTokens, _clean);
        Run(one, batch, batch.CorruptedTokens, _difference);
        _difference.Combine(one, 1, _difference, -1, _clean);
        _delta.Spread(one, _difference);
        int rows = _context.Graph.Writers * one.Rows;
        _context.Device.RowDots(_delta.AtAllRows, _delta.AtAllRows, rows, rows, _context.Config.Width, _squares);
        _context.Device.Download(_squares, _hostSquares.AsSpan(0, rows));
        for (int writer = 0; writer < _nodes.Length; writer++) _nodes[writer] += Norms(batch, _hostSquares.AsSpan(writer * one.Rows, one.Rows));
        SetEdges();
    }

    private static double Norms(ScoringBatch batch, ReadOnlySpan<double> squares)
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

    private void Run(PassShape shape, ScoringBatch batch, DeviceArray<int> tokens, WriterOutputs writers)
    {
        _context.Device.GatherRows(_context.Weights.TokenEmbedding, tokens, batch.Rows, _context.Config.Width, _embeddings);
        _context.Forward.Embed(shape, _activations, _embeddings);
        _context.Forward.Run(shape, _activations);
        writers.Take(shape, _activations, _embeddings, 0);
        _context.Advance("magnitudes", 0.4);
    }

    private void SetEdges()
    {
        int readers = _context.Graph.Readers;
        for (int column = 0; column < readers; column++)
        {
            for (int row = 0; row < _context.Graph.WritersBefore(column); row++) _context.HostScores![(row * readers) + column] = _nodes[row];
        }
    }
}
