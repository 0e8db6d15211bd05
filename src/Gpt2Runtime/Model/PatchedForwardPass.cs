using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// The forward pass of circuits: at each reader, edges inside the circuit carry this run's outputs and all others the ablated ones. All
/// quantities are differences from the ablated outputs:
///
///     difference_u = output_u - ablated_u,   input_v = ablated residual stream + sum over kept edges (u, v) of difference_u
///
/// so what a circuit leaves out costs nothing. Several circuits run as copies; circuits that differ from another run only behind some
/// sublayer start there, on that run's differences (<see cref="Continue"/>).
/// </summary>
internal sealed partial class PatchedForwardPass : IDisposable
{
    private readonly Gpt2Weights _weights;
    private readonly Gpt2Config _config;
    private readonly Device _device;
    private readonly ComputationGraph _graph;
    private readonly PassCapacity _one;
    private readonly int _copies;
    private readonly int _d;
    private readonly List<IDisposable> _owned = [];
    private readonly Activations _ablated;
    private readonly WriterOutputs _target;
    private readonly Tensor _total;
    private readonly Tensor _inputs;
    private readonly Tensor _mean;
    private readonly Tensor _rstd;
    private readonly Tensor _normed;
    private readonly Tensor _q;
    private readonly Tensor _kv;
    private readonly Tensor _probabilities;
    private readonly Tensor _z;
    private readonly Tensor _headTarget;
    private readonly Tensor _hidden;
    private readonly Tensor _activated;
    private readonly Tensor _output;
    private readonly Tensor[] _keyValueBias;
    private readonly Tensor[] _baseTotal;
    private Tensor _slots;
    private Tensor? _prefixHeads;
    private PrefixKeys? _prefix;
    private int _nextSlot;
    private int _baseSlots;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="weights">The model.</param>
    /// <param name="one">The largest batch, one copy, with all rows at the output.</param>
    /// <param name="copies">How many circuits run at once.</param>
    /// <param name="continues">Whether runs will be continued with <see cref="Continue"/>.</param>
    public PatchedForwardPass(Gpt2Weights weights, PassCapacity one, int copies, bool continues)
    {
        _weights = weights;
        _config = weights.Config;
        _device = weights.Device;
        _graph = new ComputationGraph(_config);
        _one = one;
        _copies = copies;
        _d = _config.Width;
        int inputs = Math.Max(copies, 3 * _config.Heads);
        int rows = one.Rows;
        _ablated = Own(new Activations(_config, _device, one, keepWriters: true));
        _target = Own(new WriterOutputs(_config, _device, one));
        _total = Own(_device.Allocate(copies, rows, _d));
        _inputs = Own(_device.Allocate(inputs, rows, _d));
        _normed = Own(_device.Allocate(inputs, rows, _d));
        _mean = Own(_device.Allocate(inputs * rows));
        _rstd = Own(_device.Allocate(inputs * rows));
        _q = Own(_device.Allocate(copies * rows, _d));
        _kv = Own(_device.Allocate(copies * rows, 2 * _d));
        _probabilities = Own(_device.Allocate(checked((int)(copies * _config.Heads * one.ProbabilitiesPerHead))));
        _z = Own(_device.Allocate(copies * rows, _d));
        _headTarget = Own(_device.Allocate(rows, _d));
        _hidden = Own(_device.Allocate(copies * rows, _config.InnerWidth));
        _activated = Own(_device.Allocate(copies * rows, _config.InnerWidth));
        _output = Own(_device.Allocate(copies * rows, _d));
        _keyValueBias = [.. weights.Layers.Select(l => l.QkvBias.Slice(_d, 2 * _d))];
        _baseTotal = continues ? [.. Enumerable.Range(0, (2 * _config.Layers) + 1).Select(_ => Own(_device.Allocate(rows, _d)))] : [];
        _slots = _device.Allocate(0, rows, _d);
    }

    /// <summary>Bytes that a workspace takes, without the differences that circuits list.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="one">The largest batch, one copy.</param>
    /// <param name="copies">How many circuits run at once.</param>
    /// <param name="continues">Whether runs will be continued, which keeps every writer's difference once.</param>
    /// <returns>Bytes, up to small change.</returns>
    public static long Bytes(Gpt2Config config, PassCapacity one, int copies, bool continues)
    {
        long inputs = Math.Max(copies, 3 * config.Heads);
        long perRow = (copies * ((6L * config.Width) + (2L * config.InnerWidth))) + (2 * inputs * config.Width);
        long kept = continues ? ((2L * config.Layers) + 2 + (config.Layers * (config.Heads + 1L))) * config.Width : 0;
        return Activations.Bytes(config, one, true) + WriterOutputs.Bytes(config, one) + (sizeof(float) * one.Rows * (perRow + kept))
            + (sizeof(float) * copies * config.Heads * one.ProbabilitiesPerHead);
    }

    /// <summary>Takes what replaces the writers' outputs in a new batch and makes the residual stream of the fully ablated run.</summary>
    /// <param name="shape">The batch, one copy, with all rows at the output.</param>
    /// <param name="forward">A forward pass of the model.</param>
    /// <param name="target">The ablated outputs.</param>
    /// <param name="prefix">Keys and values in front of the batch's spans, where every run is the same; null where whole prompts are run.</param>
    public void SetAblation(PassShape shape, ForwardPass forward, WriterOutputs target, PrefixKeys? prefix = null)
    {
        _prefix = prefix;
        _target.Combine(shape, 1, target, 0, target);
        forward.Embed(shape, _ablated, _target.Input);
        for (int l = 0; l < _config.Layers; l++)
        {
            long length = (long)shape.Rows * _d;
            _device.CopyBlock(_target.Z[l], 0, _ablated.Z[l], 0, length);
            _device.CopyBlock(_target.Mlp[l], 0, _ablated.MlpOutput[l], 0, length);
            forward.AddHeads(shape, _ablated, l);
            forward.AddMlp(shape, _ablated, l);
        }
        _baseSlots = 0;
        _nextSlot = 0;
    }

    /// <summary>Runs circuits from the input on.</summary>
    /// <param name="one">The batch, one copy.</param>
    /// <param name="embeddings">[rows, D] token embeddings of the prompts that the circuits run on.</param>
    /// <param name="circuits">At most as many as there are copies.</param>
    /// <param name="ablatedInputsMatter">See <see cref="PatchPlan"/>: false when patching, true for the other ablations.</param>
    /// <param name="answers">[circuits * items, D], out: the input of the logits at the answer rows.</param>
    /// <param name="keep">Whether this one circuit is the run that others continue.</param>
    public void Run(PassShape one, Tensor embeddings, IReadOnlyList<PatchedCircuit> circuits, bool ablatedInputsMatter, Tensor answers, bool keep = false)
    {
        var run = new RunState([.. circuits.Select(c => new PatchPlan(c, ablatedInputsMatter, 0))], _graph.Writers, keep);
        ReserveSlots(run, 0);
        long length = (long)one.Rows * _d;
        _device.Combine(1, embeddings, -1, _target.Input, length, _output);
        for (int c = 0; c < run.Count; c++)
        {
            _device.CopyBlock(_output, 0, _total, c * length, length);
            KeepDifference(run, c, ComputationGraph.InputRow, _output, 0, one.Rows);
        }
        if (keep) _device.CopyBlock(_total, 0, _baseTotal[0], 0, length);
        RunSublayers(one, run, 0, answers);
        if (keep) _baseSlots = _nextSlot;
    }

    /// <summary>Runs circuits that differ from the kept run at no reader before a sublayer.</summary>
    /// <param name="one">The batch, one copy.</param>
    /// <param name="circuits">At most as many as there are copies.</param>
    /// <param name="ablatedInputsMatter">See <see cref="PatchPlan"/>.</param>
    /// <param name="from">First sublayer with a reader that differs; 2 L for the logits.</param>
    /// <param name="answers">[circuits * items, D], out: the input of the logits at the answer rows.</param>
    public void Continue(PassShape one, IReadOnlyList<PatchedCircuit> circuits, bool ablatedInputsMatter, int from, Tensor answers)
    {
        var run = new RunState([.. circuits.Select(c => new PatchPlan(c, ablatedInputsMatter, from))], _graph.Writers, keep: false);
        ReserveSlots(run, _graph.WritersBeforeSublayer(from));
        long length = (long)one.Rows * _d;
        for (int c = 0; c < run.Count; c++) _device.CopyBlock(_baseTotal[from], 0, _total, c * length, length);
        RunSublayers(one, run, from, answers);
        _nextSlot = _baseSlots;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (IDisposable owned in _owned) owned.Dispose();
        _slots.Dispose();
        _prefixHeads?.Dispose();
    }

    private sealed class RunState(PatchPlan[] plans, int writers, bool keep)
    {
        public PatchPlan[] Plans { get; } = plans;

        public int Count => Plans.Length;

        public bool Keep { get; } = keep;

        // Replaced inputs of readers; their slots stand behind the writers'.
        public IReadOnlyList<InputReplacement> Replacements { get; init; } = [];

        // Slot of each copy's listed writers; -1 where it has none.
        public int[] Slots { get; } = [.. Enumerable.Repeat(-1, plans.Length * writers)];

        public int Writers { get; } = writers;

        public bool NeedsTotal(int copy) => Keep || Plans[copy].NeedsTotal;
    }

    // A kept run gives every writer the slot of its row; what continues it shares those and adds its own behind them.
    private void ReserveSlots(RunState run, int firstOwn)
    {
        int next = _baseSlots;
        for (int c = 0; c < run.Count; c++)
        {
            for (int u = 0; u < run.Writers; u++)
            {
                if (u < firstOwn) run.Slots[(c * run.Writers) + u] = u;
                else if (run.Keep || run.Plans[c].IsListed(u)) run.Slots[(c * run.Writers) + u] = run.Keep ? u : next++;
            }
        }
        if (run.Keep) next = run.Writers;
        _nextSlot = next;
        GrowSlots(next);

        // What a kept run leaves inactive differs by nothing, and the runs that continue it may ask.
        if (run.Keep) _device.Fill(_slots, 0, (long)run.Writers * _one.Rows * _d);
    }

    private void GrowSlots(int count)
    {
        if (count <= _slots.Shape[0]) return;
        Tensor larger = _device.Allocate(count, _one.Rows, _d);
        _device.CopyBlock(_slots, 0, larger, 0, Math.Min(_slots.Length, (long)_baseSlots * _one.Rows * _d));
        _slots.Dispose();
        _slots = larger;
    }

    private void RunSublayers(PassShape one, RunState run, int from, Tensor answers)
    {
        for (int s = from; s < 2 * _config.Layers; s++)
        {
            Replace(one, run, s);
            if (s % 2 == 0) Attention(one, run, s / 2);
            else Mlp(one, run, s / 2);
            if (run.Keep) _device.CopyBlock(_total, 0, _baseTotal[s + 1], 0, (long)one.Rows * _d);
        }
        Replace(one, run, 2 * _config.Layers);
        Mix(one, run, 2 * _config.Layers, [.. Enumerable.Range(0, run.Count).Select(c => (c, run.Plans[c].InputOf(_graph.LogitsColumn)))]);
        using var all = new PassShape(_device, one.Spans, run.Count, answerOnly: false);
        _device.GatherRows(_inputs, all.AnswerRows, run.Count * one.Items, _d, answers);
    }

    private void Attention(PassShape one, RunState run, int layer)
    {
        for (int c = 0; c < run.Count; c++)
        {
            if (run.Plans[c].IsPlainAttention(layer))
            {
                int first = c;
                while (c + 1 < run.Count && run.Plans[c + 1].IsPlainAttention(layer)) c++;
                PlainAttention(one, run, layer, first, c + 1 - first);
                continue;
            }
            int[] heads = [.. Enumerable.Range(0, _config.Heads).Where(h => run.Plans[c].IsActive(_graph.HeadRow(layer, h)))];
            if (heads.Length > 0) PatchedAttention(one, run, c, layer, heads);
        }
    }

    // Copies that read their whole residual stream: the layer runs as in a plain pass, neighbours at once.
    private void PlainAttention(PassShape one, RunState run, int layer, int first, int count)
    {
        Gpt2Layer w = _weights.Layers[layer];
        int rows = count * one.Rows;
        Mix(one, run, 2 * layer, [.. Enumerable.Range(first, count).Select(c => (c, PatchPlan.Input.Everything))]);
        _device.LayerNorm(_inputs, w.AttentionGain, w.AttentionShift, _config.Epsilon, rows, _d, _mean, _rstd, _normed);
        Matrix qkv = w.QkvWeight.AsMatrix();
        _device.Gemm(_normed.AsMatrix(rows, _d), qkv.SliceColumns(0, _d), _q.AsMatrix(rows, _d), new GemmOptions(Bias: w.QkvBias));
        _device.Gemm(_normed.AsMatrix(rows, _d), qkv.SliceColumns(_d, 2 * _d), _kv.AsMatrix(rows, 2 * _d), new GemmOptions(Bias: _keyValueBias[layer]));
        using var shape = new PassShape(_device, one.Spans, count, answerOnly: false);
        float scale = _config.AttentionScale(layer);
        _device.Attention(_q, _kv, shape.All, _config.Heads, _config.HeadWidth, scale, _probabilities, _z, _prefix?.Of(layer));
        _device.SubtractRows(_z, _target.Z[layer], one.Rows, rows, _d);
        var total = new Matrix(_total, (long)first * one.Rows * _d, rows, _d, _d);
        _device.Gemm(_z.AsMatrix(rows, _d), w.OutputWeight.AsMatrix(), total, new GemmOptions(Accumulate: true));
        for (int c = 0; c < count; c++)
        {
            for (int h = 0; h < _config.Heads; h++) HeadDifference(one, run, first + c, layer, h, new Matrix(_z, ((long)c * one.Rows * _d) + (h * _config.HeadWidth), one.Rows, _config.HeadWidth, _d));
        }
    }

    // One copy whose heads read different inputs, or not all of which run: only the active heads, side by side.
    private void PatchedAttention(PassShape one, RunState run, int copy, int layer, int[] heads)
    {
        Gpt2Layer w = _weights.Layers[layer];
        int hw = _config.HeadWidth;
        int width = heads.Length * hw;
        var inputs = new List<(int Copy, PatchPlan.Input Input)>();
        var indices = new int[3 * heads.Length];
        for (int t = 0; t < 3; t++)
        {
            for (int a = 0; a < heads.Length; a++)
            {
                PatchPlan.Input input = run.Plans[copy].InputOf(_graph.HeadColumn(layer, (HeadInput)t, heads[a]));
                int index = inputs.FindIndex(i => i.Input.SameAs(input));
                if (index < 0)
                {
                    index = inputs.Count;
                    inputs.Add((copy, input));
                }
                indices[(t * heads.Length) + a] = index;
            }
        }
        Mix(one, run, 2 * layer, inputs);
        _device.LayerNorm(_inputs, w.AttentionGain, w.AttentionShift, _config.Epsilon, inputs.Count * one.Rows, _d, _mean, _rstd, _normed);
        Matrix qkv = w.QkvWeight.AsMatrix();
        for (int t = 0; t < 3; t++)
        {
            for (int a = 0; a < heads.Length; a++)
            {
                // Neighbouring heads with the same input are one product.
                int index = indices[(t * heads.Length) + a];
                int first = a;
                while (a + 1 < heads.Length && heads[a + 1] == heads[a] + 1 && indices[(t * heads.Length) + a + 1] == index) a++;
                int count = a + 1 - first;
                var input = new Matrix(_normed, (long)index * one.Rows * _d, one.Rows, _d, _d);
                Tensor target = t == 0 ? _q : _kv;
                int stride = t == 0 ? width : 2 * width;
                int column = (t == 2 ? width : 0) + (first * hw);
                int weightColumn = (t * _d) + (heads[first] * hw);
                using Tensor bias = w.QkvBias.Slice(weightColumn, count * hw);
                _device.Gemm(input, qkv.SliceColumns(weightColumn, count * hw), new Matrix(target, column, one.Rows, count * hw, stride), new GemmOptions(Bias: bias));
            }
        }
        _device.Attention(_q, _kv, one.All, heads.Length, hw, _config.AttentionScale(layer), _probabilities, _z, PrefixOf(one, layer, heads));
        for (int a = 0; a < heads.Length; a++)
        {
            _device.CopyMatrix(new Matrix(_target.Z[layer], heads[a] * hw, one.Rows, hw, _d), new Matrix(_headTarget, a * hw, one.Rows, hw, width));
        }
        _device.SubtractRows(_z, _headTarget, one.Rows, one.Rows, width);
        for (int a = 0; a < heads.Length; a++)
        {
            var z = new Matrix(_z, a * hw, one.Rows, hw, width);
            HeadDifference(one, run, copy, layer, heads[a], z);
            if (!run.NeedsTotal(copy)) continue;
            Matrix total = new(_total, (long)copy * one.Rows * _d, one.Rows, _d, _d);
            _device.Gemm(z, OutputRows(layer, heads[a]), total, new GemmOptions(Accumulate: true));
        }
    }

    // The prefixes' keys and values of some heads, side by side as the pass has those of the rows that it runs.
    private Tensor? PrefixOf(PassShape one, int layer, int[] heads)
    {
        int rows = one.All.PrefixRows;
        if (_prefix is null || rows == 0 || heads.Length == _config.Heads) return _prefix?.Of(layer);
        int hw = _config.HeadWidth;
        int width = heads.Length * hw;
        if (_prefixHeads is null || _prefixHeads.Length < 2L * rows * _d)
        {
            _prefixHeads?.Dispose();
            _prefixHeads = _device.Allocate(rows, 2 * _d);
        }
        for (int a = 0; a < heads.Length; a++)
        {
            for (int half = 0; half < 2; half++)
            {
                var from = new Matrix(_prefix.Of(layer), (half * _d) + (heads[a] * hw), rows, hw, 2 * _d);
                _device.CopyMatrix(from, new Matrix(_prefixHeads, (half * width) + (a * hw), rows, hw, 2 * width));
            }
        }
        return _prefixHeads;
    }

    private void HeadDifference(PassShape one, RunState run, int copy, int layer, int head, in Matrix z)
    {
        int slot = run.Slots[(copy * run.Writers) + _graph.HeadRow(layer, head)];
        if (slot >= 0) _device.Gemm(z, OutputRows(layer, head), new Matrix(_slots, (long)slot * one.Rows * _d, one.Rows, _d, _d));
    }

    private Matrix OutputRows(int layer, int head) => _weights.Layers[layer].OutputWeight.AsMatrix().SliceRows(head * _config.HeadWidth, _config.HeadWidth);

    private void Mlp(PassShape one, RunState run, int layer)
    {
        Gpt2Layer w = _weights.Layers[layer];
        int[] active = [.. Enumerable.Range(0, run.Count).Where(c => run.Plans[c].IsActive(_graph.MlpRow(layer)))];
        if (active.Length == 0) return;
        int rows = active.Length * one.Rows;
        int inner = _config.InnerWidth;
        Mix(one, run, (2 * layer) + 1, [.. active.Select(c => (c, run.Plans[c].InputOf(_graph.MlpColumn(layer))))]);
        _device.LayerNorm(_inputs, w.MlpGain, w.MlpShift, _config.Epsilon, rows, _d, _mean, _rstd, _normed);
        _device.Gemm(_normed.AsMatrix(rows, _d), w.UpWeight.AsMatrix(), _hidden.AsMatrix(rows, inner), new GemmOptions(Bias: w.UpBias));
        _device.Activate(ForwardPass.Function(_config), _hidden, (long)rows * inner, _activated);
        _device.Gemm(_activated.AsMatrix(rows, inner), w.DownWeight.AsMatrix(), _output.AsMatrix(rows, _d), new GemmOptions(Bias: w.DownBias));
        _device.SubtractRows(_output, _target.Mlp[layer], one.Rows, rows, _d);
        for (int i = 0; i < active.Length; i++)
        {
            KeepDifference(run, active[i], _graph.MlpRow(layer), _output, i, one.Rows);
            if (run.NeedsTotal(active[i])) _device.AddBlock(_output, (long)i * one.Rows * _d, _total, (long)active[i] * one.Rows * _d, (long)one.Rows * _d);
        }
    }

    private void KeepDifference(RunState run, int copy, int writer, Tensor differences, int index, int rows)
    {
        int slot = run.Slots[(copy * run.Writers) + writer];
        long length = (long)rows * _d;
        if (slot >= 0) _device.CopyBlock(differences, index * length, _slots, slot * length, length);
    }

    private void Mix(PassShape one, RunState run, int boundary, List<(int Copy, PatchPlan.Input Input)> inputs)
    {
        var start = new int[inputs.Count + 1];
        var slots = new List<int>();
        for (int i = 0; i < inputs.Count; i++)
        {
            slots.AddRange(inputs[i].Input.Writers.Select(u => run.Slots[(inputs[i].Copy * run.Writers) + u]));
            start[i + 1] = slots.Count;
        }
        using var plan = new MixPlan(
            _device.Store<int>([.. inputs.Select(i => i.Copy)]),
            _device.Store<int>([.. inputs.Select(i => i.Input.TakesTotal ? 1 : 0)]),
            _device.Store<int>(start),
            _device.Store<int>([.. slots]));
        _device.MixInputs(_ablated.Boundaries[boundary].Residual, _total, _slots, plan, inputs.Count, one.Rows, _d, _inputs);
    }

    private T Own<T>(T resource)
        where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }
}
