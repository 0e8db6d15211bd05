using System.Globalization;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// Exact patching: for every edge, the loss with that edge corrupted minus the loss of the full model; for every node the same with all
/// its edges. Each is a circuit that lacks one edge (or one node's): it differs from the full model only from its reader on and starts
/// there, and many into readers of one sublayer run as copies of one patched pass.
/// </summary>
internal sealed class ExactPatching : BatchScorer
{
    private const int AmpleRows = 4096;
    private const int MostCopies = 64;

    private readonly ScoringSettings _settings;
    private readonly ComputationGraph _graph;
    private readonly int _copies;
    private readonly double[] _edges;
    private readonly double[] _nodes;
    private readonly ItemMetrics _metrics;
    private readonly PairRun _pair;
    private readonly PatchedForwardPass _patched;
    private readonly OutputHead _head;
    private readonly Tensor _answers;
    private readonly AblationTargets _ablation;

    // The full model's metric by the sublayer that it is continued from, as far as it is known for the batch.
    private readonly double[]?[] _full;
    private int _batchesDone;
    private int _chunksDone;

    // What an earlier run has done and this one passes over.
    private int _batchesLeft;
    private int _chunksLeft;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="context">The run.</param>
    /// <param name="settings">Method and settings.</param>
    public ExactPatching(RunContext context, ScoringSettings settings)
        : base(context)
    {
        _settings = settings;
        _graph = context.Graph;
        _edges = new double[(long)_graph.Writers * _graph.Readers];
        _nodes = new double[_graph.Writers];
        _full = new double[(2 * context.Config.Layers) + 1][];
        _metrics = new ItemMetrics(context.Pairs.Count);
        PromptSpan[] spans = context.Largest;
        Device device = context.Device;
        _copies = CopiesFor(device.RowsOfCopies(AmpleRows), spans.Sum(s => s.Length));
        var one = PassCapacity.For(spans, 1, true);

        // The full model is a copy beside them.
        int answers = spans.Length * (1 + _copies);
        _patched = Own(new PatchedForwardPass(context.Weights, one, 1 + _copies, continues: true));
        _head = Own(new OutputHead(context.Weights, settings.Metric, spans.Length, answers));
        _pair = Own(new PairRun(context, spans, true, _head));
        _answers = Own(device.Allocate(answers, context.Config.Width));
        _ablation = Own(new AblationTargets(context, true));
    }

    /// <inheritdoc />
    public override string? Done => _batchesDone == 0 && _chunksDone == 0 ? null : string.Create(
        CultureInfo.InvariantCulture, $"{_batchesDone:N0} of {Context.Plan.Batches.Count:N0} batches and {_chunksDone:N0} passes");

    /// <inheritdoc />
    public override JsonObject Save() => new()
    {
        [SizeKey] = Context.Plan.Size,
        ["batches"] = _batchesDone,
        ["passes"] = _chunksDone,
        ["edges"] = RunCheckpoint.Pack<double>(_edges),
        ["nodes"] = RunCheckpoint.Pack<double>(_nodes),
        ["clean"] = RunCheckpoint.Pack<double>(_metrics.Clean),
        ["corrupted"] = RunCheckpoint.Pack<double>(_metrics.Corrupted),
    };

    /// <inheritdoc />
    public override void Restore(JsonObject state, RunCheckpoint from)
    {
        _batchesDone = from.Number<int>(state, "batches");
        _chunksDone = from.Number<int>(state, "passes");
        from.Unpack<double>(state, "edges", _edges.Length).CopyTo(_edges, 0);
        from.Unpack<double>(state, "nodes", _nodes.Length).CopyTo(_nodes, 0);
        from.Unpack<double>(state, "clean", _metrics.Clean.Length).CopyTo(_metrics.Clean, 0);
        from.Unpack<double>(state, "corrupted", _metrics.Corrupted.Length).CopyTo(_metrics.Corrupted, 0);
        if (_batchesDone > Context.Plan.Batches.Count) throw from.Damaged();
        for (int b = 0; b < _batchesDone; b++) Skip(Context.Plan.Batches[b].Length);
        _batchesLeft = _batchesDone;
        _chunksLeft = _chunksDone;
    }

    /// <inheritdoc />
    public override void Score(WeightedBatch batch)
    {
        if (_batchesLeft > 0)
        {
            _batchesLeft--;
            return;
        }
        base.Score(batch);
        _batchesDone++;
        _chunksDone = 0;
        OfferWork();
    }

    /// <inheritdoc />
    public override ScoreSums Finish() => new(_edges, _nodes, _metrics);

    /// <summary>Scores the first edges of every sublayer and the first nodes, which take what all take.</summary>
    /// <param name="batch">The batch.</param>
    public override void Rehearse(WeightedBatch batch)
    {
        ScoreBatch(batch, 1);
        _patched.Reserve(Context.Shapes.Get(batch.Spans, 1, true), Context.Plan.Batches.Count, 0);
    }

    /// <inheritdoc />
    protected override void ScoreBatch(WeightedBatch batch) => ScoreBatch(batch, int.MaxValue);

    private void ScoreBatch(WeightedBatch batch, int mostChunks)
    {
        PassShape both = Context.Shapes.Get(batch.Spans, 2, true);
        PassShape one = Context.Shapes.Get(batch.Spans, 1, true);
        RunBoth(batch, both, one);
        int done = 0, skip = _chunksLeft;
        _chunksLeft = 0;
        for (int sublayer = 0; sublayer <= 2 * Context.Config.Layers; sublayer++)
        {
            if (_settings.Hooks.OnlySublayers?.Invoke(sublayer) == false) continue;
            if (sublayer % 2 == 0 && sublayer < 2 * Context.Config.Layers) _patched.KeepHeads(one, sublayer / 2);
            (int Row, int Column)[] edges = [.. EdgesInto(sublayer)];
            foreach ((int Row, int Column)[] chunk in edges.Chunk(_copies).Take(mostChunks))
            {
                done += chunk.Length;
                if (skip-- > 0) continue;
                if (chunk[0] != edges[0]) FindFull(batch, one, sublayer);
                double[] changes = LossChanges(batch, one, chunk.Select(WithoutEdge), sublayer);
                for (int c = 0; c < chunk.Length; c++) _edges[((long)chunk[c].Row * _graph.Readers) + chunk[c].Column] += changes[c];
                Passed();
                Advance("edges", (double)done / (_graph.EdgeCount + _graph.Writers));
            }
        }
        if (_settings.Hooks.OnlySublayers is null) ScoreNodes(batch, one, mostChunks, ref skip);
        if (skip > 0) throw Checkpoint!.Damaged();
    }

    private void Passed()
    {
        _chunksDone++;
        OfferWork();
    }

    private static int CopiesFor(int most, int rows) => Math.Clamp(most / Math.Max(1, rows), 1, MostCopies);

    private void RunBoth(WeightedBatch batch, PassShape both, PassShape one)
    {
        _metrics.Note(batch, _pair.Run(batch, both, cleanCopy: 1));
        _patched.SetAblation(one, _ablation.After(_pair, both, one), _pair.Prefix);
        _patched.Keep(one, _pair.Activations, _pair.Embeddings, 1);
        Array.Clear(_full);
    }

    private IEnumerable<(int Row, int Column)> EdgesInto(int sublayer)
    {
        IEnumerable<int> columns = Enumerable.Range(_graph.FirstColumnOfSublayer(sublayer), _graph.ReadersOfSublayer(sublayer));
        return columns.SelectMany(column => Enumerable.Range(0, _graph.WritersBefore(column)).Select(row => (row, column)));
    }

    // A node's output is replaced for every reader; the first of them is in the sublayer behind it.
    private void ScoreNodes(WeightedBatch batch, PassShape one, int mostChunks, ref int skip)
    {
        for (int sublayer = -1; sublayer < 2 * Context.Config.Layers; sublayer++)
        {
            int first = sublayer < 0 ? ComputationGraph.InputRow : _graph.WritersBeforeSublayer(sublayer);
            IEnumerable<int> nodes = Enumerable.Range(first, _graph.WritersBeforeSublayer(sublayer + 1) - first);
            foreach (int[] chunk in nodes.Chunk(_copies).Take(mostChunks))
            {
                if (skip-- > 0) continue;
                FindFull(batch, one, sublayer + 1);
                double[] changes = LossChanges(batch, one, chunk.Select(WithoutNode), sublayer + 1);
                for (int c = 0; c < chunk.Length; c++) _nodes[chunk[c]] += changes[c];
                Passed();
            }
        }
    }

    private PatchedCircuit WithoutEdge((int Row, int Column) edge) => new(_graph, null, [edge]);

    private PatchedCircuit WithoutNode(int node) => new(
        _graph, null, Enumerable.Range(0, _graph.Readers).Where(column => _graph.IsEdge(node, column)).Select(column => (node, column)));

    // A run that goes on behind the first edges of a sublayer runs them for the full model's sake, so that its bits are those of a run in
    // one go: what else is a copy may change the order of a GPU's sums.
    private void FindFull(WeightedBatch batch, PassShape one, int from)
    {
        if (_full[from] is null) LossChanges(batch, one, EdgesInto(from).Take(_copies).Select(WithoutEdge), from);
    }

    // The full model is a copy beside the first edges into a sublayer: rounded as the others are, it makes the change of an edge that
    // changes nothing 0.
    private double[] LossChanges(WeightedBatch batch, PassShape one, IEnumerable<PatchedCircuit> circuits, int from)
    {
        int first = _full[from] is null ? 1 : 0;
        PatchedCircuit[] copies = first == 0 ? [.. circuits] : [new PatchedCircuit(_graph, null), .. circuits];
        _patched.Continue(one, copies, true, from, _answers);
        _head.EvaluateRows(_answers, copies.Length * one.Items);
        double[] full = _full[from] ??= _head.Values[..one.Items];
        var changes = new double[copies.Length - first];
        for (int c = 0; c < changes.Length; c++)
        {
            int row = (first + c) * one.Items;
            for (int i = 0; i < one.Items; i++) changes[c] += batch.HostItemWeights[i] * (_head.Values[row + i] - full[i]);
            changes[c] *= _settings.Metric.LossSign;
        }
        return changes;
    }
}
