using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// Exact patching: for every edge, the loss with that edge corrupted minus the loss of the clean run. All other edges keep the clean
/// writers' current output, so a run differs from the clean one only from the reader on: it starts there, and many edges into readers
/// of one sublayer run as copies of one pass.
/// </summary>
internal sealed class ExactPatching : BatchScorer
{
    private const int MostRowsPerPass = 4096;

    private readonly ScoringContext _context;
    private readonly int _copies;
    private readonly Activations _clean;
    private readonly Activations _patched;
    private readonly Activations _candidates;
    private readonly Tensor _input;
    private readonly OutputHead _head;
    private readonly PromptEmbeddings _prompts;
    private readonly Tensor _embeddings;
    private readonly WriterOutputs _cleanWriters;
    private readonly WriterOutputs _difference;
    private readonly WriterDifferences _delta;
    private readonly AblationTargets _ablation;
    private double[] _cleanMetric = [];

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="context">The run.</param>
    /// <param name="pairs">All items.</param>
    /// <param name="lengths">Prompt lengths of the largest batch.</param>
    public ExactPatching(ScoringContext context, IReadOnlyList<PromptPair> pairs, int[] lengths)
    {
        _context = context;
        Device device = context.Device;
        _copies = CopiesFor(context.Weights, lengths.Sum());
        var one = PassCapacity.For(lengths, 1, true);
        var two = PassCapacity.For(lengths, 2, true);
        var all = PassCapacity.For(lengths, _copies, true);
        _clean = Own(new Activations(context.Config, device, two, keepWriters: true));
        _patched = Own(new Activations(context.Config, device, one, keepWriters: false, keepLayers: false));
        _candidates = Own(new Activations(context.Config, device, all, keepWriters: false, keepLayers: false));
        _input = Own(device.Allocate(all.Rows, context.Config.Width));
        _head = Own(new OutputHead(context.Weights, context.Options.Metric, lengths.Length, Math.Max(two.Sequences, all.Sequences)));
        _prompts = Own(new PromptEmbeddings(context, one.Rows));
        _embeddings = Own(device.Allocate(two.Rows, context.Config.Width));
        _cleanWriters = Own(new WriterOutputs(context.Config, device, one));
        _difference = Own(new WriterOutputs(context.Config, device, one));
        _delta = Own(new WriterDifferences(context.Weights, one, true));
        _ablation = Own(new AblationTargets(context, pairs, true));
        context.HostScores = new double[(long)context.Graph.Writers * context.Graph.Readers];
        context.NodeScores = new double[context.Graph.Writers];
    }

    /// <summary>Bytes of the workspaces for a batch.</summary>
    /// <param name="weights">The model.</param>
    /// <param name="options">Method and settings.</param>
    /// <param name="lengths">Prompt lengths of the batch.</param>
    /// <returns>Bytes.</returns>
    public static long Bytes(Checkpoints.Gpt2Weights weights, AttributionOptions options, IReadOnlyList<int> lengths)
    {
        int copies = CopiesFor(weights, lengths.Sum());
        var one = PassCapacity.For(lengths, 1, true);
        return Activations.Bytes(weights.Config, PassCapacity.For(lengths, 2, true), true)
            + Activations.Bytes(weights.Config, PassCapacity.For(lengths, copies + 1, true), false, keepLayers: false)
            + WriterDifferences.Bytes(weights.Config, one, true)
            + (2 * WriterOutputs.Bytes(weights.Config, one))
            + OutputHead.Bytes(weights.Config, options.Metric, lengths.Count, copies * lengths.Count);
    }

    /// <inheritdoc />
    public override void Score(ScoringBatch batch)
    {
        using var both = new PassShape(_context.Device, batch.Lengths, 2, true);
        using var one = new PassShape(_context.Device, batch.Lengths, 1, true);
        RunBoth(batch, both, one);
        int edges = _context.Graph.EdgeCount;
        int done = 0;
        for (int l = 0; l < _context.Config.Layers; l++)
        {
            for (int u = 0; u < 1 + (l * (_context.Config.Heads + 1)); u++)
            {
                PatchAttention(batch, one, l, u);
                done += 3 * _context.Config.Heads;
                _context.Advance("edges", (double)done / edges);
            }
            PatchMlp(batch, one, l);
            done += _context.Graph.WritersBefore(_context.Graph.MlpColumn(l));
            _context.Advance("edges", (double)done / edges);
        }
        PatchLogits(batch, one);
        PatchNodes(batch, one);
    }

    private static int CopiesFor(Checkpoints.Gpt2Weights weights, int rows) => Math.Clamp(MostRowsPerPass / Math.Max(1, rows), 1, 3 * weights.Config.Heads);

    private void RunBoth(ScoringBatch batch, PassShape both, PassShape one)
    {
        int items = batch.Items.Length;
        _prompts.Load(batch);
        _head.SetItems(batch.Pairs);
        _prompts.Interpolate(1, batch.Rows, _embeddings, 0);
        _prompts.Interpolate(0, batch.Rows, _embeddings, 1);
        _context.Forward.Embed(both, _clean, _embeddings);
        _context.Forward.Run(both, _clean);
        _head.Evaluate(both, _clean, 0);
        _cleanMetric = _head.Values[..items];
        for (int i = 0; i < items; i++)
        {
            _context.CleanMetric[batch.Items[i]] = _head.Values[i];
            _context.CorruptedMetric[batch.Items[i]] = _head.Values[items + i];
        }
        _cleanWriters.Take(both, _clean, _embeddings, 0);
        _difference.Take(both, _clean, _embeddings, 1);
        _ablation.Difference(one, _cleanWriters, _difference, _difference);
        _delta.Spread(one, _difference);
    }

    // Writer u into every query, key and value of a layer. The patched input is projected once; each reader then takes its own columns.
    private void PatchAttention(ScoringBatch batch, PassShape one, int layer, int u)
    {
        Device device = _context.Device;
        int d = _context.Config.Width;
        int w = _context.Config.HeadWidth;
        int heads = _context.Config.Heads;
        int rows = one.Rows;
        int queryRows = one.QueryRows(layer, _context.Config.Layers);
        Tensor residual = _clean.Boundaries[2 * layer].Residual;
        AddDelta(residual, _delta.AtAllRows, u, rows, _patched.Boundaries[2 * layer].Residual, 0);
        _context.Forward.ProjectAttention(one, _patched, layer);
        for (int first = 0; first < 3 * heads; first += _copies)
        {
            int copies = Math.Min(_copies, (3 * heads) - first);
            using var shape = new PassShape(device, batch.Lengths, copies, true);
            for (int c = 0; c < copies; c++)
            {
                int head = (first + c) % heads;
                int input = (first + c) / heads;
                device.CopyBlock(residual, 0, _candidates.Boundaries[2 * layer].Residual, (long)c * rows * d, (long)rows * d);
                device.CopyBlock(_clean.Q[layer], 0, _candidates.Q[layer], (long)c * queryRows * d, (long)queryRows * d);
                device.CopyBlock(_clean.Kv[layer], 0, _candidates.Kv[layer], (long)c * rows * 2 * d, (long)rows * 2 * d);
                if (input == 0)
                {
                    device.CopyMatrix(Columns(_patched.Q[layer], 0, queryRows, d, head * w, w), Columns(_candidates.Q[layer], c, queryRows, d, head * w, w));
                }
                else
                {
                    int at = ((input - 1) * d) + (head * w);
                    device.CopyMatrix(Columns(_patched.Kv[layer], 0, rows, 2 * d, at, w), Columns(_candidates.Kv[layer], c, rows, 2 * d, at, w));
                }
            }
            _context.Forward.Attend(shape, _candidates, layer);
            _context.Forward.Run(shape, _candidates, from: (2 * layer) + 1);
            _head.Evaluate(shape, _candidates, -1);
            for (int c = 0; c < copies; c++) AddScore(batch, c, u, _context.Graph.HeadColumn(layer, Graph.HeadInput.Query, 0) + first + c);
        }
    }

    private void PatchMlp(ScoringBatch batch, PassShape one, int layer)
    {
        int rows = one.QueryRows(layer, _context.Config.Layers);
        Tensor delta = layer == _context.Config.Layers - 1 ? _delta.AtAnswers : _delta.AtAllRows;
        Tensor residual = _clean.Boundaries[(2 * layer) + 1].Residual;
        int column = _context.Graph.MlpColumn(layer);
        ForWriters(batch, 0, _context.Graph.WritersBefore(column), (shape, first, copies) =>
        {
            for (int c = 0; c < copies; c++)
            {
                AddDelta(residual, delta, first + c, rows, _input, c);
                _context.Device.CopyBlock(
                    residual, 0, _candidates.Boundaries[(2 * layer) + 1].Residual, (long)c * rows * _context.Config.Width, (long)rows * _context.Config.Width);
            }
            _context.Forward.RunMlp(shape, _candidates, layer, _input);
            _context.Forward.Run(shape, _candidates, from: (2 * layer) + 2);
            _head.Evaluate(shape, _candidates, -1);
            for (int c = 0; c < copies; c++) AddScore(batch, c, first + c, column);
        });
    }

    private void PatchLogits(ScoringBatch batch, PassShape one)
    {
        ForWriters(batch, 0, _context.Graph.Writers, (_, first, copies) =>
        {
            for (int c = 0; c < copies; c++) AddDelta(_clean.Boundaries[^1].Residual, _delta.AtAnswers, first + c, one.Items, _input, c);
            _head.EvaluateRows(_input, copies * one.Items);
            for (int c = 0; c < copies; c++) AddScore(batch, c, first + c, _context.Graph.LogitsColumn);
        });
    }

    // A node: its output is replaced for every reader, so the residual stream behind its sublayer is.
    private void PatchNodes(ScoringBatch batch, PassShape one)
    {
        int heads = _context.Config.Heads;
        int layers = _context.Config.Layers;
        PatchOutputs(0, 1, 0);
        for (int l = 0; l < layers; l++)
        {
            PatchOutputs(_context.Graph.HeadRow(l, 0), heads, (2 * l) + 1);
            PatchOutputs(_context.Graph.MlpRow(l), 1, (2 * l) + 2);
        }

        void PatchOutputs(int firstWriter, int count, int boundary)
        {
            bool answers = boundary > (2 * layers) - 2;
            int rows = answers ? one.FinalRows : one.Rows;
            ForWriters(batch, firstWriter, count, (shape, first, copies) =>
            {
                for (int c = 0; c < copies; c++)
                {
                    AddDelta(_clean.Boundaries[boundary].Residual, answers ? _delta.AtAnswers : _delta.AtAllRows, first + c, rows, _candidates.Boundaries[boundary].Residual, c);
                }
                _context.Forward.Run(shape, _candidates, from: boundary);
                _head.Evaluate(shape, _candidates, -1);
                for (int c = 0; c < copies; c++) _context.NodeScores![first + c] += LossChange(batch, c);
            });
        }
    }

    private void ForWriters(ScoringBatch batch, int from, int count, Action<PassShape, int, int> run)
    {
        for (int first = from; first < from + count; first += _copies)
        {
            int copies = Math.Min(_copies, from + count - first);
            using var shape = new PassShape(_context.Device, batch.Lengths, copies, true);
            run(shape, first, copies);
            _context.Cancellation.ThrowIfCancellationRequested();
        }
    }

    private void AddDelta(Tensor clean, Tensor delta, int writer, int rows, Tensor target, int copy)
    {
        long length = (long)rows * _context.Config.Width;
        using Tensor difference = delta.Slice(writer * length, rows, _context.Config.Width);
        using Tensor output = target.Slice(copy * length, rows, _context.Config.Width);
        _context.Device.Combine(1, clean, 1, difference, length, output);
    }

    private void AddScore(ScoringBatch batch, int copy, int row, int column) =>
        _context.HostScores![((long)row * _context.Graph.Readers) + column] += LossChange(batch, copy);

    private double LossChange(ScoringBatch batch, int copy)
    {
        int items = batch.Items.Length;
        double sum = 0;
        for (int i = 0; i < items; i++) sum += batch.HostItemWeights[i] * (_head.Values[(copy * items) + i] - _cleanMetric[i]);
        return OutputHead.LossSign(_context.Options.Metric) * sum;
    }

    private static Matrix Columns(Tensor storage, int copy, int rows, int stride, int first, int width) =>
        new(storage, ((long)copy * rows * stride) + first, rows, width, stride);
}
