using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>What gradients by spans need.</summary>
/// <param name="Graph">The edges between spans.</param>
/// <param name="Rows">The spans of the batch's rows; used, not owned.</param>
/// <param name="Pass">The largest backward pass.</param>
internal sealed record SpanSettings(PositionalGraph Graph, SpanRows Rows, PassCapacity Pass);

// Gradients by spans. Keys and values are linear in the gradient at the heads' mixed values, so attention's backward pass once more for
// each span of queries, with the other rows of that gradient zeroed, gives what keys and values owe to the queries of that span. Queries,
// MLPs and logits read where they are: their rows need no more than to be told apart. The contraction then gathers the rows of one span.
internal sealed partial class ReaderGradients
{
    private SpanWork? _spans;

    /// <summary>Adds to a layer's keys and values what they owe to the queries of each span; without spans nothing.</summary>
    /// <param name="shape">The pass.</param>
    /// <param name="a">Its activations.</param>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="heads">Its heads.</param>
    /// <param name="dz">The gradient at the heads' mixed values.</param>
    /// <param name="rules">What stands in place of derivatives; null for nothing.</param>
    /// <param name="copies">How many copies count, from the first.</param>
    public void AddSpans(PassShape shape, Activations a, int layer, in HeadGroup heads, Tensor dz, AttentionRules? rules, int copies) =>
        _spans?.Add(shape, a, layer, heads, dz, rules, copies, Points);

    private sealed class SpanWork : ResourceOwner
    {
        private readonly ReaderGradients _plain;
        private readonly Device _device;
        private readonly Gpt2Config _config;
        private readonly PositionalGraph _edges;
        private readonly SpanRows _rows;
        private readonly TensorParts _storage = new();
        private readonly ReaderSums[][] _sums;
        private readonly (Tensor Constant, Tensor GainSums)[] _keysValues;
        private readonly Tensor _dz;
        private readonly Tensor _dqkv;
        private readonly Tensor _dq;
        private readonly Tensor _dkv;
        private readonly Tensor _apart;
        private readonly Tensor _outputs;
        private readonly Tensor _delta;
        private readonly Tensor _answerDelta;
        private readonly Tensor _gatheredSums;
        private readonly Tensor _gatheredOffsets;
        private readonly Tensor _gatheredCoefficients;
        private readonly Tensor _gatheredInputs;
        private readonly Tensor _gatheredRows;

        public SpanWork(ReaderGradients plain, ReaderConstants constants, PassCapacity one, int points, bool answerOnly, SpanSettings spans)
        {
            _plain = plain;
            _device = plain._device;
            _config = plain._config;
            (_edges, _rows) = (spans.Graph, spans.Rows);
            (int d, int heads, int layers) = (_config.Width, _config.Heads, _config.Layers);
            int[][] parts = [.. Enumerable.Range(0, layers).Select(_ => Enumerable.Range(0, _rows.Count).Select(_ =>
            {
                int first = _storage.Add(one.Rows, 2 * d);
                _storage.Add(2 * heads, one.Rows);
                _storage.Add(points, 2 * heads, one.Rows);
                return first;
            }).ToArray())];
            Own(_storage).Allocate(_device);
            _sums = [.. parts.Select(p => p.Select(f => new ReaderSums(_storage[f], _storage[f + 1], _storage[f + 2])).ToArray())];
            _keysValues = [.. Enumerable.Range(0, layers).Select(l => (
                constants.Constant(l).Slice(d, 2 * d), constants.GainSums(l).Slice(d, 2 * d)))];
            int passRows = spans.Pass.Rows;
            _dz = Own(_device.Allocate(passRows, d));
            _dqkv = Own(_device.Allocate(passRows, 3 * d));
            (_dq, _dkv) = (Activations.QueriesOf(_dqkv, d), Activations.KeysValuesOf(_dqkv, d));
            _apart = Own(_device.Allocate(passRows, 2 * d));
            _outputs = Own(_device.Allocate(passRows, 2 * d));
            int writers = answerOnly ? plain._graph.HeadRow(layers - 1, 0) : plain._graph.Writers;
            _delta = Own(_device.Allocate(writers, one.Rows, d));
            _answerDelta = Own(_device.Allocate(plain._graph.Writers, one.Sequences, d));
            _gatheredSums = Own(_device.Allocate(one.Rows, 3 * d));
            _gatheredOffsets = Own(_device.Allocate(3 * heads, one.Rows));
            _gatheredCoefficients = Own(_device.Allocate(points, 3 * heads, one.Rows));
            _gatheredInputs = Own(plain._frozenNorms ? _device.Allocate(1) : _device.Allocate(points, one.Rows, d));
            _gatheredRows = Own(_device.Allocate(one.Rows, d));
        }

        public void Reset() => _device.Fill(_storage.Whole, 0, _storage.Whole.Length);

        public void Add(
            PassShape shape, Activations a, int layer, in HeadGroup heads, Tensor dz, AttentionRules? rules, int copies, int points)
        {
            (int d, int rows) = (_config.Width, shape.Rows);
            bool answers = !heads.Joined;
            SequenceLayout layout = answers ? shape.Final : shape.All;
            int queries = layout.QueryRows, baseQueries = queries / shape.Copies;
            (Tensor dq, Tensor dkv) = answers ? (_dqkv, _apart) : (_dq, _dkv);
            if (!answers) _device.CopyMatrix(KeysValues(a.Qkv[layer]!, rows), _outputs.AsMatrix(rows, 2 * d));
            for (int t = 0; t < _rows.Count; t++)
            {
                SpanRows.Part part = (answers ? _rows.AtAnswers : _rows.AtAllRows)[t];
                _device.ScaleRows(dz, part.Factors, baseQueries, queries, d, _dz);
                _device.AttentionBackward(
                    _dz, a.Q[layer], a.Kv[layer], a.Probabilities[layer], layout, heads, 1, dq, dkv, a.Prefix?.Of(layer));
                rules?.Apply(a, layer, heads, layout, 1, _dz, answers ? null : _dqkv, dq, dkv);
                if (!answers) _device.CopyMatrix(KeysValues(_dqkv, rows), _apart.AsMatrix(rows, 2 * d));
                _device.AccumulateReaders(new ReaderPoints(
                    _apart, answers ? a.Kv[layer] : _outputs, _keysValues[layer].Constant, _keysValues[layer].GainSums,
                    a.Boundaries[2 * layer].Rstd, new ReaderGroup(2 * _config.Heads, _config.HeadWidth, d),
                    new GradientRows(copies * shape.BaseRows, rows, shape.BaseRows), _sums[layer][t], points));
            }
        }

        public void Contract(PassShape shape, WriterDifferences delta, DeviceArray<double> scores)
        {
            ComputationGraph graph = _edges.Graph;
            int d = _config.Width;
            int last = _config.Layers - 1;
            for (int s = 0; s < _rows.Count; s++)
            {
                SpanRows.Part all = _rows.AtAllRows[s], answers = _rows.AtAnswers[s];
                if (all.Length == 0) continue;
                int block = _edges.BlockOf(s, s);
                _device.GatherBlocks(
                    delta.AtAllRows, shape.BaseRows, all.Rows, all.Length, shape.AnswerOnly ? graph.HeadRow(last, 0) : graph.Writers, d,
                    _delta);
                for (int l = 0; l < _config.Layers; l++) ContractLayer(shape, s, l, all, scores);
                if (answers.Length == 0) continue;
                _device.GatherBlocks(delta.AtAnswers, shape.Items, answers.Rows, answers.Length, graph.Writers, d, _answerDelta);
                if (shape.AnswerOnly)
                {
                    Gather(_plain._groups[last][0], shape.Items, answers);
                    MakeGradients(last, 0, _config.Heads, answers.Length, 0);
                    Into(_answerDelta, graph.HeadRow(last, 0), _config.Heads, answers.Length, block + graph.HeadColumn(last, 0, 0));
                    _device.GatherRows(_plain._mlpRows[last], answers.Rows, answers.Length, d, _plain._buffer);
                    Into(_answerDelta, graph.MlpRow(last), 1, answers.Length, block + graph.MlpColumn(last));
                }
                _device.GatherRows(_plain._logits, answers.Rows, answers.Length, d, _plain._buffer);
                Into(_answerDelta, graph.Writers, 1, answers.Length, block + graph.LogitsColumn);
            }

            void Into(Tensor differences, int writers, int readers, int rows, long first) => _device.ContractEdges(
                differences, writers, _plain._buffer, readers, (long)rows * d, new ScoreBlock(scores, graph.Readers, first));
        }

        // What the readers of a layer read at the rows of a span; of the last layer's at the answer rows, keys and values alone.
        private void ContractLayer(PassShape shape, int s, int l, SpanRows.Part rows, DeviceArray<double> scores)
        {
            ComputationGraph graph = _edges.Graph;
            (int d, int heads, int n) = (_config.Width, _config.Heads, rows.Length);
            Group group = _plain._groups[l][^1];
            bool whole = group.Readers == 3 * heads;
            long length = (long)n * d;
            int keysValues = whole ? heads : 0;
            if (whole)
            {
                Gather(group, shape.BaseRows, rows);
                MakeGradients(l, 0, 3 * heads, n, 0);
                _device.GatherRows(_plain._mlpRows[l], rows.Rows, n, d, _gatheredRows);
                _device.CopyBlock(_gatheredRows, 0, _plain._buffer, 3 * heads * length, length);
            }
            for (int step = 0; step < _rows.Count; step++)
            {
                // The span itself first: its queries and MLP lie beside its keys and values.
                int t = (s + step) % _rows.Count;
                if (_edges.BlockOf(s, t) < 0) continue;
                int place = t == s ? keysValues : 0;
                Gather(l, t, group.Standardized, shape.BaseRows, rows);
                MakeGradients(l, heads, 2 * heads, n, place * length);
                (int stride, int column) = t == s
                    ? (graph.Readers, graph.HeadColumn(l, whole ? HeadInput.Query : HeadInput.Key, 0))
                    : (_edges.KeyValueColumns, 2 * heads * l);
                bool joined = whole && t == s;
                _device.ContractEdges(
                    _delta, joined ? graph.MlpRow(l) : graph.HeadRow(l, 0), _plain._buffer, joined ? (3 * heads) + 1 : 2 * heads, length,
                    new ScoreBlock(scores, stride, _edges.BlockOf(s, t) + column));
            }
        }

        private void Gather(Group group, int baseRows, SpanRows.Part rows)
        {
            int width = group.Readers * _config.HeadWidth;
            _device.GatherRows(group.Sums, rows.Rows, rows.Length, width, _gatheredSums);
            GatherCells(group.Readers, group.Offsets, group.Coefficients, group.Standardized, baseRows, rows);
        }

        private void Gather(int layer, int span, Tensor standardized, int baseRows, SpanRows.Part rows)
        {
            ReaderSums sums = _sums[layer][span];
            _device.GatherRows(sums.Sums, rows.Rows, rows.Length, 2 * _config.Width, _gatheredSums);
            GatherCells(2 * _config.Heads, sums.Offsets, sums.Coefficients, standardized, baseRows, rows);
        }

        private void GatherCells(int readers, Tensor offsets, Tensor coefficients, Tensor standardized, int baseRows, SpanRows.Part rows)
        {
            _device.GatherBlocks(offsets, baseRows, rows.Rows, rows.Length, readers, 1, _gatheredOffsets);
            if (_plain._frozenNorms) return;
            int points = _plain.Points;
            _device.GatherBlocks(coefficients, baseRows, rows.Rows, rows.Length, points * readers, 1, _gatheredCoefficients);
            _device.GatherBlocks(standardized, baseRows, rows.Rows, rows.Length, points, _config.Width, _gatheredInputs);
        }

        // The gradients of readers from what has been gathered.
        private void MakeGradients(int layer, int first, int readers, int rows, long offset)
        {
            (int d, int w) = (_config.Width, _config.HeadWidth);
            Gpt2Layer weights = _plain._weights.Layers[layer];
            _device.Gemm(
                new Matrix(_gatheredSums, 0, rows, w, readers * w),
                new Matrix(weights.QkvWeight, (long)first * w, d, w, 3 * d, Transposed: true),
                new Matrix(_plain._buffer, offset, rows, d, d),
                new GemmOptions(Batch: readers, StepA: w, StepB: w, StepC: (long)rows * d));
            _device.FinishReaders(
                _plain._buffer, offset, weights.AttentionGain, _gatheredOffsets, _gatheredCoefficients, _gatheredInputs,
                new ReaderBlocks(readers, rows, d, _plain._frozenNorms ? 0 : _plain.Points));
        }

        private Matrix KeysValues(Tensor joined, int rows) => new(joined, _config.Width, rows, 2 * _config.Width, 3 * _config.Width);
    }
}
