using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// Gradients at every reader, summed over gradient points. A point leaves only small sums behind for the attention readers (see
/// <see cref="Device.AccumulateReaders"/>); their D-wide gradients are made layer by layer when the scores are contracted, so that
/// neither time nor memory for them grows with the number of points. An MLP reads with one gradient per row, which is kept as it is.
/// </summary>
internal sealed partial class ReaderGradients : ResourceOwner
{
    // The contraction's tiles of writers are no more than those of layers by themselves.
    private const int MostTogether = 4;

    private readonly Gpt2Weights _weights;
    private readonly Gpt2Config _config;
    private readonly ComputationGraph _graph;
    private readonly Device _device;
    private readonly Group[][] _groups;
    private readonly Tensor[] _mlp;
    private readonly Tensor[] _mlpRows;
    private readonly Tensor _logits;
    private readonly TensorParts _sums = new();
    private readonly Tensor _buffer;

    // Layers that are contracted at once, and floats from the sums and normalised rows of one to the next one's.
    private readonly int _together;
    private readonly long _sumsStride;
    private readonly long _standardizedStride;
    private readonly bool _frozenNorms;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="constants">Its reader constants.</param>
    /// <param name="capacity">The largest batch, one copy.</param>
    /// <param name="points">Number of gradient points between two resets.</param>
    /// <param name="answerOnly">Whether the last layer is only needed at the answer positions.</param>
    /// <param name="rules">The rules of the backward passes; null for derivatives.</param>
    /// <param name="reachesAll">Whether backward passes reach every layer that is contracted.</param>
    /// <param name="spans">For scores of edges between spans; null for those of edges alone.</param>
    public ReaderGradients(
        Gpt2Weights weights, ReaderConstants constants, PassCapacity capacity, int points, bool answerOnly, BackwardRules? rules = null,
        bool reachesAll = true, SpanSettings? spans = null)
    {
        _frozenNorms = (rules ?? BackwardRules.Derivatives).FrozenNorms;
        _weights = weights;
        _config = weights.Config;
        _graph = new ComputationGraph(_config);
        _device = weights.Device;
        PointCapacity = points;
        int d = _config.Width;
        int heads = _config.Heads;
        _groups = new Group[_config.Layers][];
        _mlp = new Tensor[_config.Layers];
        _mlpRows = new Tensor[_config.Layers];

        // What a reset clears lies in one piece.
        bool[] last = [.. Enumerable.Range(0, _config.Layers).Select(l => answerOnly && l == _config.Layers - 1)];
        int[] queryRows = [.. last.Select(l => l ? capacity.Sequences : capacity.Rows)];
        (int Queries, int KeysValues, int Mlp)[] parts = [.. queryRows.Zip(last, (rows, apart) => (
            AddGroup(rows, apart ? heads : 3 * heads), apart ? AddGroup(capacity.Rows, 2 * heads) : -1, _sums.Add(rows, d)))];
        int logits = _sums.Add(capacity.Sequences, d);
        Own(_sums).Allocate(_device);
        int standardizedRows = checked(points * capacity.Rows);
        Tensor all = MakeStandardized(checked(_config.Layers * standardizedRows));
        for (int l = 0; l < _config.Layers; l++)
        {
            Tensor standardized = _frozenNorms
                ? all
                : all.Slice((long)l * standardizedRows * d, (_config.Layers - l) * points, capacity.Rows, d);
            Tensor answers = last[l] && !_frozenNorms ? MakeStandardized(points * capacity.Sequences) : standardized;
            _groups[l] = last[l]
                ?
                [
                    MakeGroup(l, 0, heads, parts[l].Queries, answers, true),
                    MakeGroup(l, heads, 2 * heads, parts[l].KeysValues, standardized, false),
                ]
                : [MakeGroup(l, 0, 3 * heads, parts[l].Queries, standardized, false)];
            _mlp[l] = _sums.From(parts[l].Mlp);
            _mlpRows[l] = _sums[parts[l].Mlp];
        }
        _logits = _sums[logits];
        long perLayer = (long)_graph.ReadersPerLayer * capacity.Rows * d;
        int joined = last.Count(l => !l);
        _together = (int)Math.Clamp(_device.ContractedFloats / perLayer, 1, Math.Clamp(joined, 1, MostTogether));
        if (joined > 1) _sumsStride = _sums.OffsetOf(parts[1].Queries) - _sums.OffsetOf(parts[0].Queries);
        _standardizedStride = _frozenNorms ? 0 : (long)standardizedRows * d;
        _buffer = Own(_device.Allocate(_together * _graph.ReadersPerLayer, capacity.Rows, d));
        _spans = spans is null ? null : Own(new SpanWork(this, constants, capacity, points, answerOnly, spans));

        // A layer that no backward pass reaches has coefficients of zero, which only numbers can be multiplied with.
        Tensor MakeStandardized(int rows) => Own(
            _frozenNorms ? _device.Allocate(1) : reachesAll ? _device.Allocate(rows, d) : _device.AllocateZeros(rows, d));

        // The number of the first of three parts.
        int AddGroup(int rows, int readers)
        {
            int first = _sums.Add(rows, readers * _config.HeadWidth);
            _sums.Add(readers, rows);
            _sums.Add(points, readers, rows);
            return first;
        }

        Group MakeGroup(int layer, int first, int readers, int part, Tensor standardized, bool answer) => new(
            constants.Gains.Slice((long)layer * d, checked((_config.Layers - layer) * d)),
            first,
            readers,
            answer,
            constants.Constant(layer).Slice((long)first * _config.HeadWidth, readers * _config.HeadWidth),
            constants.GainSums(layer).Slice((long)first * _config.HeadWidth, readers * _config.HeadWidth),
            _sums[part],
            _sums.From(part + 1),
            _sums.From(part + 2),
            standardized);
    }

    /// <summary>
    /// Readers of one layer's attention that share rows: queries, keys and values; where queries are those of the answer rows alone, these,
    /// and keys and values.
    /// </summary>
    private sealed record Group(
        Tensor Gains,
        int First,
        int Readers,
        bool AnswerRows,
        Tensor Constant,
        Tensor GainSums,
        Tensor Sums,
        Tensor Offsets,
        Tensor Coefficients,
        Tensor Standardized);

    /// <summary>How many points fit between two resets.</summary>
    public int PointCapacity { get; }

    /// <summary>How many points have been added since the last reset.</summary>
    public int Points { get; private set; }

    /// <summary>Gradient at the input of the final LayerNorm at the answer positions, summed over points [items, D].</summary>
    public Tensor Logits => _logits;

    /// <summary>Gradient at the input of an MLP's LayerNorm, summed over points.</summary>
    /// <param name="layer">Index of the layer.</param>
    /// <returns>[rows of one copy, D].</returns>
    public Tensor Mlp(int layer) => _mlp[layer];

    /// <summary>Forgets all points.</summary>
    public void Reset()
    {
        Points = 0;
        _device.Fill(_sums.Whole, 0, _sums.Whole.Length);
        _spans?.Reset();
    }

    /// <summary>Takes note that backward passes have added points to every layer that they reached.</summary>
    /// <param name="count">How many.</param>
    public void Advance(int count) => Points += count;

    /// <summary>
    /// The backward pass of the LayerNorm in front of a layer's attention, added to the residual stream's gradient, and what a backward
    /// pass has found at the queries, keys and values behind it.
    /// </summary>
    /// <param name="shape">The pass.</param>
    /// <param name="a">Its activations.</param>
    /// <param name="layer">Index of the layer, whose queries, keys and values lie side by side.</param>
    /// <param name="dqkv">[rows, 3 D]: the gradients at these.</param>
    /// <param name="copies">How many copies count, from the first.</param>
    /// <param name="normed">[gradient rows, D]: the gradient behind the LayerNorm.</param>
    /// <param name="input">[rows, D]: what it read.</param>
    /// <param name="mean">[rows]: that input's means.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="residual">[gradient rows, D], added to.</param>
    public void AddAttention(
        PassShape shape, Activations a, int layer, Tensor dqkv, int copies, Tensor normed, Tensor input, Tensor mean, GradientRows rows,
        Tensor residual)
    {
        Group group = _groups[layer][0];
        Tensor rstd = a.Boundaries[2 * layer].Rstd;
        _device.LayerNormBackwardWithReaders(
            normed, input, _weights.Layers[layer].AttentionGain, mean, rstd, rows, residual,
            PointsOf(group, shape, dqkv, a.Qkv[layer]!, rstd, copies), _frozenNorms ? null : group.Standardized);
    }

    /// <summary>
    /// Adds what a backward pass has found in the last layer at the queries of the answer rows alone, and at the keys and values of all.
    /// </summary>
    /// <param name="shape">The pass.</param>
    /// <param name="a">Its activations.</param>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="dq">[answers, D].</param>
    /// <param name="dkv">[rows, 2 D].</param>
    /// <param name="copies">How many copies count, from the first.</param>
    public void AddAnswers(PassShape shape, Activations a, int layer, Tensor dq, Tensor dkv, int copies)
    {
        (Group queries, Group keysValues) = (_groups[layer][0], _groups[layer][1]);
        Activations.Boundary boundary = a.Boundaries[2 * layer];
        _device.AccumulateReaders(PointsOf(queries, shape, dq, a.Q[layer], a.AnswerRstd, copies));
        _device.AccumulateReaders(PointsOf(keysValues, shape, dkv, a.Kv[layer], boundary.Rstd, copies));
        if (_frozenNorms) return;
        int d = _config.Width;
        _device.Standardize(
            boundary.Residual, boundary.Mean, boundary.Rstd, null, copies * shape.BaseRows, d, keysValues.Standardized,
            Points * shape.BaseRows);
        _device.Standardize(
            boundary.Residual, boundary.Mean, boundary.Rstd, shape.AnswerRows, copies * shape.Items, d, queries.Standardized,
            Points * shape.Items);
    }

    private ReaderPoints PointsOf(Group group, PassShape shape, Tensor dy, Tensor y, Tensor rstd, int copies)
    {
        int baseRows = group.AnswerRows ? shape.Items : shape.BaseRows;
        return new ReaderPoints(
            dy, y, group.Constant, group.GainSums, rstd, new ReaderGroup(group.Readers, _config.HeadWidth, _config.Width),
            new GradientRows(copies * baseRows, shape.Copies * baseRows, baseRows),
            new ReaderSums(group.Sums, group.Offsets, group.Coefficients), Points);
    }

    /// <summary>Adds the score of every edge: the contraction of the writers' differences with these gradients.</summary>
    /// <param name="shape">A pass of the batch.</param>
    /// <param name="delta">The writers' differences.</param>
    /// <param name="scores">[F, K] float64, or with spans a cell per number of <see cref="Positions.PositionalGraph"/>; added to. Cells
    /// that are no edge are left with anything.</param>
    /// <param name="firstLayer">Layers below it are known to have no gradient.</param>
    /// <param name="endLayer">Neither have it and layers above it; null where all have.</param>
    public void Contract(
        PassShape shape, WriterDifferences delta, DeviceArray<double> scores, int firstLayer = 0, int? endLayer = null)
    {
        // How many rows a span has changes from batch to batch, so that nothing is recorded.
        if (_spans is not null)
        {
            _spans.Contract(shape, delta, scores);
            return;
        }
        _device.Replay(
            shape.Slot(new PassKey(this, delta, scores, firstLayer, endLayer ?? _config.Layers, Points)),
            (Gradients: this, shape, delta, scores, firstLayer, End: endLayer ?? _config.Layers),
            static s => s.Gradients.IssueContract(s.shape, s.delta, s.scores, s.firstLayer, s.End));
    }

    private void IssueContract(PassShape shape, WriterDifferences delta, DeviceArray<double> scores, int firstLayer, int endLayer)
    {
        int heads = _config.Heads;
        int stride = _graph.Readers;
        int d = _config.Width;
        long block = (long)shape.BaseRows * d;
        for (int l = firstLayer, next; l < endLayer; l = next)
        {
            next = l + 1;
            int feeding = _graph.HeadRow(l, 0);
            int firstColumn = _graph.HeadColumn(l, HeadInput.Query, 0);
            (Group queries, Group keysValues) = (_groups[l][0], _groups[l][^1]);
            if (!queries.AnswerRows)
            {
                // All readers of some layers in one contraction, which reads the writers' differences once. The last layer's heads, which
                // feed its MLP, and the writers of the layers before it meet readers in front of them on the way; those cells are no edges
                // and nobody reads them.
                while (next < endLayer && next - l < _together && !_groups[next][0].AnswerRows) next++;
                int perLayer = _graph.ReadersPerLayer;
                for (int m = l; m < next; m++) Multiply(_groups[m][0], m, shape.BaseRows, (m - l) * perLayer * block);
                Finish(queries, shape.BaseRows, next - l, _mlp[l]);
                _device.ContractEdges(
                    delta.AtAllRows, _graph.MlpRow(next - 1), _buffer, (next - l) * perLayer, block,
                    new ScoreBlock(scores, stride, firstColumn));
                continue;
            }
            Multiply(keysValues, l, shape.BaseRows, 0);
            Finish(keysValues, shape.BaseRows, 1, null);
            _device.ContractEdges(
                delta.AtAllRows, feeding, _buffer, 2 * heads, block, new ScoreBlock(
                    scores, stride, _graph.HeadColumn(l, HeadInput.Key, 0)));
            Multiply(queries, l, shape.Items, 0);
            Finish(queries, shape.Items, 1, null);
            _device.ContractEdges(
                delta.AtAnswers, feeding, _buffer, heads, (long)shape.Items * d, new ScoreBlock(scores, stride, firstColumn));
            _device.ContractEdges(
                delta.AtAnswers, _graph.MlpRow(l), _mlp[l], 1, (long)shape.Items * d, new ScoreBlock(scores, stride, _graph.MlpColumn(l)));
        }
        _device.ContractEdges(
            delta.AtAnswers, _graph.Writers, _logits, 1, (long)shape.Items * d, new ScoreBlock(scores, stride, _graph.LogitsColumn));
    }

    // W times a group's sums, in the buffer from an element on.
    private void Multiply(Group group, int layer, int rows, long offset)
    {
        int d = _config.Width;
        int w = _config.HeadWidth;
        Tensor qkv = _weights.Layers[layer].QkvWeight;
        var sums = new Matrix(group.Sums, 0, rows, w, group.Readers * w);
        var weights = new Matrix(qkv, (long)group.First * w, d, w, 3 * d, Transposed: true);
        var gradients = new Matrix(_buffer, offset, rows, d, d);
        _device.Gemm(sums, weights, gradients, new GemmOptions(Batch: group.Readers, StepA: w, StepB: w, StepC: (long)rows * d));
    }

    // The gradients in the buffer, of a layer's group and as many readers of the layers behind it, and after each layer's its last one's.
    private void Finish(Group group, int rows, int layers, Tensor? last) => _device.FinishReaders(
        _buffer, 0, group.Gains, group.Offsets, group.Coefficients, group.Standardized,
        new ReaderBlocks(
            group.Readers, rows, _config.Width, _frozenNorms ? 0 : Points, layers, _sumsStride, _standardizedStride),
        last);
}
