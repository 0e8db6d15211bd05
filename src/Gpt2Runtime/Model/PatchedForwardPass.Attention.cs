using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

// Attention in a patched pass. Copies whose heads all read the whole residual stream run as in a plain pass, neighbouring copies at once.
// In every other copy the active heads run, side by side. A run that continues another computes only the heads whose input differs from
// that run's; the others keep their outputs.
internal sealed partial class PatchedForwardPass
{
    private readonly Dictionary<(int Layer, int Column, int Width), Tensor> _biases = [];
    private readonly List<int> _heads = [];
    private readonly Tensor _q;
    private readonly Tensor _kv;
    private readonly Tensor _probabilities;
    private readonly Tensor _z;
    private readonly Tensor _headTarget;
    private readonly Tensor[] _keyValueBias;
    private int[] _inputOfHead = [];
    private Tensor? _prefixHeads;

    private void Attention(PassShape one, PatchedRun run, int layer)
    {
        bool enters = run.Enters(2 * layer);
        if (enters) CarryKeptHeads(one, run);
        for (int c = 0; c < run.Count; c++)
        {
            if (!enters && run.Plans[c].IsPlainAttention(layer))
            {
                int first = c;
                while (c + 1 < run.Count && run.Plans[c + 1].IsPlainAttention(layer)) c++;
                PlainAttention(one, run, layer, first, c + 1 - first);
                continue;
            }
            _heads.Clear();
            for (int h = 0; h < _config.Heads; h++)
            {
                if (run.Plans[c].IsActive(_graph.HeadRow(layer, h)) && !(enters && run.KeepsHead(c, h))) _heads.Add(h);
            }
            if (_heads.Count > 0) PatchedAttention(one, run, c, layer);
        }
    }

    private void PlainAttention(PassShape one, PatchedRun run, int layer, int first, int count)
    {
        Place place = PlaceOf(one, (2 * layer) + 1);
        int queries = count * place.Rows;
        _mixed.Clear();
        for (int c = first; c < first + count; c++) _mixed.Add((c, -1));
        Mix(one, run, 2 * layer, PlaceOf(one, 2 * layer), _inputs);
        PlainDifferences(one, layer, count);
        var total = new Matrix(place.Total, first * place.Length, queries, _d, _d);
        _device.Gemm(_z.AsMatrix(queries, _d), _weights.Layers[layer].OutputWeight.AsMatrix(), total, new GemmOptions(Accumulate: true));
        for (int c = 0; c < count; c++)
        {
            KeepHeads(run, first + c, layer, 0, _config.Heads, new Matrix(_z, c * place.Length, place.Rows, _config.HeadWidth, _d), place);
        }
    }

    // The differences of all heads' mixed values in copies whose heads all read what stands in _inputs.
    private void PlainDifferences(PassShape one, int layer, int count)
    {
        Gpt2Layer w = _weights.Layers[layer];
        Place place = PlaceOf(one, (2 * layer) + 1);
        int rows = count * one.Rows;
        int queries = count * place.Rows;
        _device.LayerNorm(_inputs, w.AttentionGain, w.AttentionShift, _config.Epsilon, rows, _d, _mean, _rstd, _normed);
        Matrix qkv = w.QkvWeight.AsMatrix();
        _device.Gemm(_normed.AsMatrix(rows, _d), qkv.SliceColumns(_d, 2 * _d), _kv.AsMatrix(rows, 2 * _d),
            new GemmOptions(Bias: _keyValueBias[layer]));
        PassShape shape = _shapes.Get(one.Spans, count, one.AnswerOnly);
        bool answers = AtAnswersFrom(one, layer);
        if (answers) _device.GatherRows(_normed, shape.AnswerRows, queries, _d, _inputs);
        _device.Gemm((answers ? _inputs : _normed).AsMatrix(queries, _d), qkv.SliceColumns(0, _d), _q.AsMatrix(queries, _d),
            new GemmOptions(Bias: w.QkvBias));
        _device.Attention(
            _q, _kv, answers ? shape.Final : shape.All, ForwardPass.HeadsOf(_config, layer), _probabilities, _z, _prefix?.Of(layer));
        _device.SubtractRows(_z, _target.Z[layer], place.Rows, queries, _d);
    }

    // One copy, and of it the heads in _heads.
    private void PatchedAttention(PassShape one, PatchedRun run, int copy, int layer)
    {
        Place all = PlaceOf(one, 2 * layer);
        Place place = PlaceOf(one, (2 * layer) + 1);
        int hw = _config.HeadWidth;
        int width = _heads.Count * hw;
        bool answers = AtAnswersFrom(one, layer);
        if (answers) Project(one, run, copy, layer, 0, 1, AnswersOf(one));
        Project(one, run, copy, layer, answers ? 1 : 0, 3, all);
        SequenceLayout layout = answers ? one.Final : one.All;
        _device.Attention(
            _q, _kv, layout, new HeadGroup(_heads.Count, hw, _config.AttentionScale(layer)), _probabilities, _z, PrefixOfHeads(one, layer));
        for (int a = 0, count; a < _heads.Count; a += count)
        {
            count = Neighbours(a);
            var target = new Matrix(_target.Z[layer], _heads[a] * hw, place.Rows, count * hw, _d);
            _device.CopyMatrix(target, new Matrix(_headTarget, a * hw, place.Rows, count * hw, width));
        }
        _device.SubtractRows(_z, _headTarget, place.Rows, place.Rows, width);
        for (int a = 0, count; a < _heads.Count; a += count)
        {
            count = Neighbours(a);
            KeepHeads(run, copy, layer, _heads[a], count, new Matrix(_z, a * hw, place.Rows, hw, width), place);
            if (!run.NeedsTotal(copy, 2 * layer)) continue;
            var total = new Matrix(place.Total, copy * place.Length, place.Rows, _d, _d);
            _device.Gemm(new Matrix(_z, a * hw, place.Rows, count * hw, width), OutputRows(layer, _heads[a], count), total,
                new GemmOptions(Accumulate: true));
        }
    }

    // Queries (part 0), keys (1) and values (2) of the heads in _heads from their inputs at some rows. Equal inputs are made once.
    private void Project(PassShape one, PatchedRun run, int copy, int layer, int firstPart, int endPart, in Place place)
    {
        Gpt2Layer w = _weights.Layers[layer];
        PatchPlan plan = run.Plans[copy];
        int hw = _config.HeadWidth;
        int count = _heads.Count;
        int width = count * hw;
        if (_inputOfHead.Length < 3 * count) _inputOfHead = new int[3 * _config.Heads];
        _mixed.Clear();
        for (int t = firstPart; t < endPart; t++)
        {
            for (int a = 0; a < count; a++)
            {
                int column = _graph.HeadColumn(layer, (HeadInput)t, _heads[a]);
                int input = 0;
                while (input < _mixed.Count && !plan.SameInput(column, plan, _mixed[input].Column)) input++;
                if (input == _mixed.Count) _mixed.Add((copy, column));
                _inputOfHead[(t * count) + a] = input;
            }
        }
        Mix(one, run, 2 * layer, place, _inputs);
        _device.LayerNorm(
            _inputs, w.AttentionGain, w.AttentionShift, _config.Epsilon, _mixed.Count * place.Rows, _d, _mean, _rstd, _normed);
        for (int t = firstPart; t < endPart; t++)
        {
            Tensor target = t == 0 ? _q : _kv;
            int stride = t == 0 ? width : 2 * width;
            for (int a = 0, taken; a < count; a += taken)
            {
                // Neighbouring heads with the same input are one product.
                int input = _inputOfHead[(t * count) + a];
                int neighbours = Neighbours(a);
                for (taken = 1; taken < neighbours && _inputOfHead[(t * count) + a + taken] == input;) taken++;
                int weightColumn = (t * _d) + (_heads[a] * hw);
                _device.Gemm(
                    new Matrix(_normed, input * place.Length, place.Rows, _d, _d),
                    w.QkvWeight.AsMatrix().SliceColumns(weightColumn, taken * hw),
                    new Matrix(target, (t == 2 ? width : 0) + (a * hw), place.Rows, taken * hw, stride),
                    new GemmOptions(Bias: BiasOf(layer, weightColumn, taken * hw)));
            }
        }
    }

    // How many heads from one in _heads on follow each other in the model.
    private int Neighbours(int index)
    {
        int end = index + 1;
        while (end < _heads.Count && _heads[end] == _heads[end - 1] + 1) end++;
        return end - index;
    }

    // The last layer's queries are needed at the answers alone, its keys and values at all rows.
    private bool AtAnswersFrom(PassShape one, int layer) => one.AnswerOnly && layer == _config.Layers - 1;

    // The prefixes' keys and values of the heads in _heads, side by side as the pass has those of the rows that it runs.
    private Tensor? PrefixOfHeads(PassShape one, int layer)
    {
        int rows = one.All.PrefixRows;
        if (_prefix is null || rows == 0 || _heads.Count == _config.Heads) return _prefix?.Of(layer);
        int hw = _config.HeadWidth;
        int width = _heads.Count * hw;
        if (_prefixHeads is null || _prefixHeads.Length < 2L * rows * _d)
        {
            _prefixHeads?.Dispose();
            _prefixHeads = _device.Allocate(rows, 2 * _d);
        }
        for (int a = 0, count; a < _heads.Count; a += count)
        {
            count = Neighbours(a);
            for (int half = 0; half < 2; half++)
            {
                var from = new Matrix(_prefix.Of(layer), (half * _d) + (_heads[a] * hw), rows, count * hw, 2 * _d);
                _device.CopyMatrix(from, new Matrix(_prefixHeads, (half * width) + (a * hw), rows, count * hw, 2 * width));
            }
        }
        return _prefixHeads;
    }

    // The differences of neighbouring heads, z W_O, where they have slots; those with neighbouring slots are one batch. z is the first
    // head's.
    private void KeepHeads(PatchedRun run, int copy, int layer, int head, int count, in Matrix z, in Place place)
    {
        int hw = _config.HeadWidth;
        for (int i = 0, taken; i < count; i += taken)
        {
            int slot = run.Slot(copy, _graph.HeadRow(layer, head + i));
            taken = 1;
            if (slot < 0) continue;
            while (i + taken < count && run.Slot(copy, _graph.HeadRow(layer, head + i + taken)) == slot + taken) taken++;
            _device.Gemm(
                z with { Offset = z.Offset + (i * hw) },
                OutputRows(layer, head + i, 1),
                new Matrix(place.Slots, slot * place.Length, place.Rows, _d, _d),
                new GemmOptions(Batch: taken, StepA: hw, StepB: (long)hw * _d, StepC: place.Length));
        }
    }

    private Matrix OutputRows(int layer, int head, int count) =>
        _weights.Layers[layer].OutputWeight.AsMatrix().SliceRows(head * _config.HeadWidth, count * _config.HeadWidth);

    private Tensor BiasOf(int layer, int column, int width)
    {
        if (!_biases.TryGetValue((layer, column, width), out Tensor? bias))
            _biases.Add((layer, column, width), bias = _weights.Layers[layer].QkvBias.Slice(column, width));
        return bias;
    }
}
