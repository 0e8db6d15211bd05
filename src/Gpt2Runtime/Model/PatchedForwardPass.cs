using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;

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
/// <remarks>
/// A batch laid out as answer-only has the last layer's queries and MLP, and the logits, at the answer rows alone. A pass of the size of an
/// earlier one allocates nothing.
/// </remarks>
internal sealed partial class PatchedForwardPass : ResourceOwner
{
    private readonly Gpt2Weights _weights;
    private readonly Gpt2Config _config;
    private readonly Device _device;
    private readonly ComputationGraph _graph;
    private readonly PassCapacity _one;
    private readonly int _d;
    private readonly int _last;
    private readonly PassShapes _shapes;
    private readonly PatchedRun _run;
    private readonly PatchPlan _keptPlan;
    private readonly Tensor _ablatedAnswers;
    private readonly Tensor _inputs;
    private readonly Tensor _mean;
    private readonly Tensor _rstd;
    private readonly Tensor _normed;
    private readonly Tensor _derivative;
    private readonly Tensor _hidden;
    private readonly Tensor _output;
    private Tensor[] _ablated = [];
    private Tensor[]? _madeAblated;
    private PatchTarget _target;
    private PrefixKeys? _prefix;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="one">The largest batch, one copy.</param>
    /// <param name="copies">How many circuits run at once.</param>
    /// <param name="continues">Whether runs will be continued with <see cref="Continue"/>.</param>
    /// <param name="groups">Whether products of heads are grouped; null where the device gains from it.</param>
    public PatchedForwardPass(Gpt2Weights weights, PassCapacity one, int copies, bool continues, bool? groups = null)
    {
        _groups = groups ?? weights.Device.GroupsProducts;
        _weights = weights;
        _config = weights.Config;
        _device = weights.Device;
        _graph = new ComputationGraph(_config);
        _one = one;
        _d = _config.Width;
        _last = 2 * _config.Layers;
        int inputs = Math.Max(copies, 3 * _config.Heads);
        int rows = one.Rows;
        _shapes = Own(new PassShapes(_device));
        _run = new PatchedRun(_graph, copies);
        _keptPlan = new PatchPlan(_graph);
        _planner = Own(new MixPlanner(_device));
        _ablatedAnswers = Allocate(one.Sequences, _d);

        // Totals and slots that no reader reads are carried along with others, so they have to be numbers.
        _total = Own(_device.AllocateZeros(copies, rows, _d));
        _answerTotal = Allocate(copies, one.Sequences, _d);
        _inputs = Allocate(inputs, rows, _d);
        _normed = Allocate(inputs, rows, _d);
        _mean = Allocate(inputs * rows);
        _rstd = Allocate(inputs * rows);

        // Heads that nothing has reached are attended along with the others of their layer, and nobody reads what comes of it.
        _qkv = Own(_device.AllocateZeros(3 * copies * rows, _d));
        _q = Own(_qkv.Slice(0, copies * rows, _d));
        _kv = Own(_qkv.Slice((long)copies * rows * _d, copies * rows, 2 * _d));
        _probabilities = Allocate(checked((int)(copies * _config.Heads * one.ProbabilitiesPerHead)));
        _z = Allocate(copies * rows, _d);
        _headTarget = Allocate(rows, _d);
        _derivative = Allocate(copies * rows, _config.InnerWidth);
        _hidden = Allocate(copies * rows, _config.InnerWidth);
        _output = Allocate(copies * rows, _d);
        _keyValueBias = [.. weights.Layers.Select(l => l.QkvBias.Slice(_d, 2 * _d))];
        _slots = _device.Allocate(0, rows, _d);
        _answerSlots = _device.Allocate(0, one.Sequences, _d);
        if (!continues)
        {
            (_keptTotal, _keepsTotal) = ([], []);
            return;
        }
        _keptTotal = [.. Enumerable.Range(0, _last + 1).Select(_ => Allocate(rows, _d))];
        _keepsTotal = new bool[_last + 1];
        _keptAnswerTotal = Allocate(one.Sequences, _d);
        _zero = Own(_device.AllocateZeros(rows, _d));
    }

    /// <summary>
    /// Takes what replaces the writers' outputs in a new batch, and with it the residual stream of the fully ablated run, which is made
    /// where no run has left it.
    /// </summary>
    /// <param name="shape">The batch, one copy.</param>
    /// <param name="target">The ablated outputs; used until others take their place.</param>
    /// <param name="prefix">Keys and values in front of the batch's spans, where every run is the same; null where whole prompts are
    /// run.</param>
    public void SetAblation(PassShape shape, in PatchTarget target, PrefixKeys? prefix = null)
    {
        (_prefix, _target) = (prefix, target);
        if (target.Streams is null) MakeAblated(shape);
        else _ablated = target.Streams;
        _device.GatherRows(_ablated[FirstAtAnswers(shape)], shape.AnswerRows, shape.Items, _d, _ablatedAnswers);
        _keptSlots = 0;
    }

    /// <summary>Runs circuits from the input on.</summary>
    /// <param name="one">The batch, one copy.</param>
    /// <param name="embeddings">[rows, D] token embeddings of the prompts that the circuits run on.</param>
    /// <param name="circuits">At most as many as there are copies.</param>
    /// <param name="ablatedInputsMatter">See <see cref="PatchPlan"/>: false when patching, true for the other ablations.</param>
    /// <param name="answers">[circuits * items, D], out: the input of the logits at the answer rows.</param>
    /// <param name="keep">Whether this one circuit is the run that others continue.</param>
    public void Run(PassShape one, Tensor embeddings, ReadOnlySpan<PatchedCircuit> circuits, bool ablatedInputsMatter, Tensor answers,
        bool keep = false)
    {
        PatchedRun run = _run;
        run.Begin(circuits.Length, _graph.Writers, 0, keep, continues: false);
        for (int c = 0; c < circuits.Length; c++)
        {
            run.Plans[c] = keep ? _keptPlan : run.OwnPlan(c);
            run.Plans[c].SetCircuit(circuits[c], ablatedInputsMatter, 0);
        }
        ReserveSlots(run);
        if (keep) Array.Fill(_keepsTotal, true);
        long length = (long)one.Rows * _d;
        _device.Combine(1, embeddings, -1, _target.Input, length, _output);
        for (int c = 0; c < run.Count; c++)
        {
            _device.CopyBlock(_output, 0, _total, c * length, length);
            KeepDifference(run, c, ComputationGraph.InputRow, _output, 0, PlaceOf(one, 0));
        }
        if (keep) _device.CopyBlock(_total, 0, _keptTotal[0], 0, length);
        RunSublayers(one, run, answers);
        if (keep) _keptSlots = run.EndSlot;
    }

    /// <summary>Runs circuits that differ from the kept run at no reader before a sublayer.</summary>
    /// <param name="one">The batch, one copy.</param>
    /// <param name="circuits">At most as many as there are copies.</param>
    /// <param name="ablatedInputsMatter">See <see cref="PatchPlan"/>.</param>
    /// <param name="from">First sublayer with a reader that differs; 2 L for the logits.</param>
    /// <param name="answers">[circuits * items, D], out: the input of the logits at the answer rows.</param>
    public void Continue(PassShape one, ReadOnlySpan<PatchedCircuit> circuits, bool ablatedInputsMatter, int from, Tensor answers)
    {
        PatchedRun run = _run;
        run.Begin(circuits.Length, _graph.Writers, from, keep: false, continues: true);
        for (int c = 0; c < circuits.Length; c++)
        {
            run.Plans[c] = run.OwnPlan(c);
            run.Plans[c].SetCircuit(circuits[c], ablatedInputsMatter, from);
            FindKeptHeads(run, c);
        }
        ReserveSlots(run);
        KeepTotal(one, from);
        if (run.Enters(from)) KeepTotal(one, from + 1);
        Place place = PlaceOf(one, from);
        for (int c = 0; c < run.Count && !run.Enters(from) && !_groups; c++)
            _device.CopyBlock(_keptTotal[from], 0, place.Total, c * place.Length, place.Length);
        RunSublayers(one, run, answers);
    }

    /// <summary>The input of the logits at the answer rows in the ablated run.</summary>
    /// <param name="one">The batch, one copy.</param>
    /// <param name="answers">Out, from row <paramref name="row"/> on: [items, D].</param>
    /// <param name="row">First row.</param>
    public void TakeAblatedAnswers(PassShape one, Tensor answers, int row = 0) =>
        _device.CopyBlock(one.AnswerOnly ? _ablated[_last] : _ablatedAnswers, 0, answers, (long)row * _d, (long)one.Items * _d);

    /// <summary>The run: its copies with their plans and slots.</summary>
    internal PatchedRun State => _run;

    /// <summary>[copies, rows, D]: per copy the sum of all differences.</summary>
    internal Tensor Total => _total;

    /// <summary>Allocates what runs take at most beside the workspaces.</summary>
    /// <param name="one">The largest batch, one copy.</param>
    /// <param name="batches">Number of batches.</param>
    /// <param name="slots">Differences that are listed at most.</param>
    internal void Reserve(PassShape one, int batches, int slots)
    {
        ReserveSlots(slots);

        // Copies that read the whole residual stream run together, any number of them, in layouts that are kept.
        int copies = _run.Plans.Length;
        for (int i = 0; i < Math.Min(PassShapes.Most, batches * copies); i++)
            Own(new PassShape(_device, one.Spans, 1 + (i % copies), one.AnswerOnly));
        Own(_device.AllocateArray<int>(slots * one.Items));
        if (_prefix is not null) Own(_device.Allocate(one.All.PrefixRows, 2 * _d));

        if (_groups)
        {
            // All inputs of a pass are planned at once; each lists half of its writers at most, and lists have room to grow.
            Own(_device.AllocateArray<int>((3 * copies * (_graph.Readers + 1)) + 257 + (copies * (_graph.EdgeCount + _graph.Writers))));
            Own(_device.AllocateArray<int>(copies * _config.Layers * ((ProductTable.Numbers * 5 * _config.Heads) + 2)));
            return;
        }

        // The planner's numbers: three a readers' input, and every writer that one lists, with room to grow.
        int inputs = Math.Max(copies, 3 * _config.Heads);
        Own(_device.AllocateArray<int>((3 * inputs) + 257 + (2 * inputs * (_graph.Writers + 1))));
    }

    /// <summary>Makes room for differences behind those of the kept run.</summary>
    /// <param name="count">Their number.</param>
    /// <returns>The first one's slot.</returns>
    internal int ReserveSlots(int count)
    {
        (_run.FirstSlot, _run.EndSlot) = (_keptSlots, _keptSlots + count);
        GrowSlots(_run.EndSlot);
        return _keptSlots;
    }

    /// <summary>Runs the sublayers of a run that has been set up, from its first one on.</summary>
    /// <param name="one">The batch, one copy.</param>
    /// <param name="answers">[copies * items, D], out: the input of the logits at the answer rows.</param>
    internal void RunSublayers(PassShape one, Tensor answers) => RunSublayers(one, _run, answers);

    /// <summary>Runs one layer's MLP in the copies where it is active, and adds its difference to their totals.</summary>
    /// <param name="one">The batch, one copy.</param>
    /// <param name="layer">Index of the layer.</param>
    internal void RunMlp(PassShape one, int layer) => Mlp(one, _run, layer);

    /// <summary>Adds a writer's difference to a copy's total.</summary>
    /// <param name="one">The batch, one copy, laid out with the last layer at all rows.</param>
    /// <param name="copy">The copy.</param>
    /// <param name="writer">Row of the writer.</param>
    /// <param name="differences">Every writer's difference from its ablated output.</param>
    internal void AddToTotal(PassShape one, int copy, int writer, WriterOutputs differences)
    {
        long length = (long)one.Rows * _d;
        int sublayer = _graph.SublayerOfWriter(writer);
        if (sublayer >= 0 && sublayer % 2 == 0)
        {
            int layer = sublayer / 2;
            int head = writer - _graph.HeadRow(layer, 0);
            var z = new Matrix(differences.Z[layer], head * _config.HeadWidth, one.Rows, _config.HeadWidth, _d);
            var total = new Matrix(_total, copy * length, one.Rows, _d, _d);
            _device.Gemm(z, OutputRows(layer, head, 1), total, new GemmOptions(Accumulate: true));
            return;
        }
        _device.AddBlock(sublayer < 0 ? differences.Input : differences.Mlp[sublayer / 2], 0, _total, copy * length, length);
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        _slots.Dispose();
        _answerSlots.Dispose();
        _answerCells?.Dispose();
        _prefixHeads?.Dispose();
        _places?.Dispose();
        base.Dispose();
    }

    private void MakeAblated(PassShape shape)
    {
        _madeAblated ??= [.. Enumerable.Range(0, _last + 1).Select(b => Allocate(b >= _last - 1 ? _one.FinalRows : _one.Rows, _d))];
        _ablated = _madeAblated;
        _device.GatherRows(_weights.PositionEmbedding, shape.Positions, shape.Rows, _d, _ablated[0], _target.Input);
        for (int l = 0; l < _config.Layers; l++)
        {
            (Tensor before, Tensor between, Tensor after) = (_ablated[2 * l], _ablated[(2 * l) + 1], _ablated[(2 * l) + 2]);
            int rows = shape.QueryRows(l, _config.Layers);
            long length = (long)rows * _d;
            if (rows == shape.Rows) _device.CopyBlock(before, 0, between, 0, length);
            else _device.GatherRows(before, shape.AnswerRows, rows, _d, between);
            Matrix output = _weights.Layers[l].OutputWeight.AsMatrix();
            _device.Gemm(_target.Z[l].AsMatrix(rows, _d), output, between.AsMatrix(rows, _d),
                new GemmOptions(Accumulate: true, Bias: _weights.Layers[l].OutputBias));
            _device.Combine(1, between, 1, _target.Mlp[l], length, after);
        }
    }

    private void RunSublayers(PassShape one, PatchedRun run, Tensor answers)
    {
        if (_groups)
        {
            RunGrouped(one, run, answers);
            return;
        }
        for (int s = run.From; s < _last; s++)
        {
            Replace(one, run, s);
            ToAnswers(one, run, s);
            if (s % 2 == 0) Attention(one, run, s / 2);
            else Mlp(one, run, s / 2);
            Place after = PlaceOf(one, s + 1);
            if (run.Keep) _device.CopyBlock(after.Total, 0, _keptTotal[s + 1], 0, after.Length);
        }
        Replace(one, run, _last);
        ToAnswers(one, run, _last);
        _mixed.Clear();
        for (int c = 0; c < run.Count; c++) _mixed.Add((c, _graph.LogitsColumn));
        Mix(one, run, _last, AnswersOf(one), answers);
    }

    private void Mlp(PassShape one, PatchedRun run, int layer)
    {
        _mixed.Clear();
        for (int c = 0; c < run.Count; c++)
        {
            if (run.Plans[c].IsActive(_graph.MlpRow(layer))) _mixed.Add((c, _graph.MlpColumn(layer)));
        }
        if (_mixed.Count == 0) return;
        Place place = PlaceOf(one, (2 * layer) + 1);
        int rows = _mixed.Count * place.Rows;
        Mix(one, run, (2 * layer) + 1, place, _inputs);
        MlpBlock.Forward(_weights, layer, rows, _inputs, new(_mean, _rstd, _normed, _derivative, _hidden), _output);
        _device.SubtractRows(_output, _target.Mlp[layer], place.Rows, rows, _d);
        for (int i = 0; i < _mixed.Count; i++)
        {
            int copy = _mixed[i].Copy;
            KeepDifference(run, copy, _graph.MlpRow(layer), _output, i, place);
            if (!run.NeedsTotal(copy, (2 * layer) + 1)) continue;
            _device.AddBlock(_output, i * place.Length, place.Total, copy * place.Length, place.Length);
        }
    }

    private Tensor Allocate(params int[] shape) => Own(_device.Allocate(shape));
}
