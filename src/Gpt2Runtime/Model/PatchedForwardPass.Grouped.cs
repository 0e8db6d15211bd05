using System.Runtime.InteropServices;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;

namespace Gradpath.Gpt2Runtime.Model;

// A patched pass in few operations, for a device on which an operation costs more than what it does here. What all sublayers will mix,
// multiply and keep is listed first and goes to the device at once. Heads then have their places side by side whether they are active or
// not, in every copy that is not plain, so that attention is one operation for all of them, and what active heads multiply is one group of
// products. What stands in the places of others is not read.
internal sealed partial class PatchedForwardPass
{
    private readonly bool _groups;
    private readonly List<Step> _steps = [];
    private readonly List<int> _members = [];
    private readonly List<int> _moves = [];
    private readonly List<Range> _rounds = [];
    private readonly List<(int Copy, int Head)> _computed = [];
    private readonly Tensor _qkv;
    private DeviceArray<int>? _places;
    private MixPlan _mixes;
    private int _movesAt;

    private enum StepKind
    {
        // The totals behind the first attention of a continued run, see CarryKeptHeads.
        Carry,

        // The total behind a sublayer of a kept run: that before it with the differences of the sublayer's writers.
        Join,
        Plain,
        Heads,
        Mlp,
        Logits,
    }

    private readonly record struct Range(int First, int Count);

    // Planned inputs, and the copies whose totals they may start from.
    private readonly record struct Mixed(int First, int Count, int Copies);

    private readonly record struct Step(StepKind Kind, int Sublayer, Range Copies)
    {
        public Mixed Inputs { get; init; }

        // Where the last layer's queries are made at the answers alone.
        public Mixed QueryInputs { get; init; }

        // Whether inputs and totals start from the kept run's total.
        public bool Kept { get; init; }

        // Members of products: from the inputs, from the query inputs, and from heads to their slots.
        public Range Projected { get; init; }

        public Range ProjectedQueries { get; init; }

        public Range Slotted { get; init; }

        // Members that add heads to their copies' totals: those of a round add to different copies.
        public Range Rounds { get; init; }

        // An MLP's differences.
        public Range Moves { get; init; }
    }

    private void RunGrouped(PassShape one, PatchedRun run, Tensor answers)
    {
        Plan(one, run);
        _mixes = _planner.Upload();
        UploadPlaces();
        Place start = PlaceOf(one, run.From);
        bool startsKept = _steps[0].Kept;
        for (int c = 0; c < run.Count && run.Continues && !startsKept; c++)
            _device.CopyBlock(_keptTotal[run.From], 0, start.Total, c * start.Length, start.Length);
        int next = 0;
        for (int s = run.From; s <= _last; s++)
        {
            Replace(one, run, s);
            ToAnswers(one, run, s);
            for (; next < _steps.Count && _steps[next].Sublayer == s; next++) Do(one, run, _steps[next], answers);
        }
    }

    private void Do(PassShape one, PatchedRun run, in Step step, Tensor answers)
    {
        int layer = step.Sublayer / 2;
        switch (step.Kind)
        {
            case StepKind.Carry:
                Place place = PlaceOf(one, step.Sublayer + 1);
                _device.MixInputs(
                    _keptTotal[step.Sublayer + 1], _zero!, place.Slots, MixesOf(step.Inputs), run.Count, place.Rows, _d, place.Total);
                break;
            case StepKind.Join:
                place = PlaceOf(one, step.Sublayer + 1);
                (Tensor before, _) = Stream(one, step, place);
                _device.MixInputs(before, _zero!, place.Slots, MixesOf(step.Inputs), 1, place.Rows, _d, _keptTotal[step.Sublayer + 1]);
                break;
            case StepKind.Plain:
                PlainHeads(one, run, step, layer);
                break;
            case StepKind.Heads:
                Heads(one, run, step, layer);
                break;
            case StepKind.Mlp:
                Mlp(one, run, step, layer);
                break;
            default:
                Mix(one, step, step.Inputs, AnswersOf(one), answers);
                break;
        }
    }

    private void Plan(PassShape one, PatchedRun run)
    {
        _steps.Clear();
        _members.Clear();
        _moves.Clear();
        _rounds.Clear();
        _planner.Begin(run.Count * (_graph.Readers + 1));
        for (int s = run.From; s < _last; s++)
        {
            int before = _steps.Count;
            if (s % 2 == 0) PlanAttention(one, run, s / 2);
            else PlanMlp(run, s / 2);
            if (run.Keep && (s % 2 == 0 || _steps.Count == before)) PlanJoin(run, s);
        }
        _mixed.Clear();
        for (int c = 0; c < run.Count; c++) _mixed.Add((c, _graph.LogitsColumn));
        _steps.Add(new Step(StepKind.Logits, _last, new Range(0, run.Count)) { Inputs = PlanMix(run, run.Keep), Kept = run.Keep });
    }

    // The inputs that _mixed names; a negative column stands for the whole residual stream.
    private Mixed PlanMix(PatchedRun run, bool kept)
    {
        (int first, int copies) = (_planner.Inputs, 0);
        foreach ((int copy, int column) in CollectionsMarshal.AsSpan(_mixed))
        {
            PatchPlan plan = run.Plans[copy];
            PatchPlan.Input input = column < 0 ? PatchPlan.Input.Everything : plan.InputOf(column);
            int from = kept ? 0 : copy;
            _planner.AddInput(from, input.TakesTotal);
            if (input.TakesTotal) copies = Math.Max(copies, from + 1);
            foreach (int writer in plan.WritersOf(input)) _planner.AddSlot(run.Slot(copy, writer));
        }
        return new Mixed(first, _mixed.Count, copies);
    }

    private void PlanMlp(PatchedRun run, int layer)
    {
        int sublayer = (2 * layer) + 1;
        _mixed.Clear();
        int summed = 0;
        for (int c = 0; c < run.Count; c++)
        {
            if (!run.Plans[c].IsActive(_graph.MlpRow(layer))) continue;
            _mixed.Add((c, _graph.MlpColumn(layer)));
            if (run.NeedsTotal(c, sublayer)) summed++;
        }
        if (_mixed.Count == 0) return;

        // Where a continued run starts here, the first difference of every copy joins the kept run's total.
        bool kept = run.Keep || (run.Continues && run.From == sublayer && summed == run.Count);
        int first = _moves.Count / 2;
        foreach ((int copy, _) in _mixed)
        {
            _moves.Add(run.NeedsTotal(copy, sublayer) ? copy : -1);
            _moves.Add(run.Slot(copy, _graph.MlpRow(layer)));
        }
        _steps.Add(new Step(StepKind.Mlp, sublayer, new Range(0, run.Count))
        {
            Inputs = PlanMix(run, kept),
            Kept = kept,
            Moves = new Range(first, _mixed.Count),
        });
    }

    private void PlanAttention(PassShape one, PatchedRun run, int layer)
    {
        bool enters = run.Enters(2 * layer);
        if (enters) PlanCarry(run, layer);
        for (int c = 0, end; c < run.Count; c = end)
        {
            bool plain = !enters && run.Plans[c].IsPlainAttention(layer);
            for (end = c + 1; end < run.Count && plain && run.Plans[end].IsPlainAttention(layer);) end++;
            if (plain) PlanPlain(one, run, layer, new Range(c, end - c));
            else PlanHeads(one, run, layer, c, enters, out end);
        }
    }

    private void PlanCarry(PatchedRun run, int layer)
    {
        int first = _planner.Inputs;
        for (int c = 0; c < run.Count; c++)
        {
            _planner.AddInput(0, takesTotal: true);
            for (int h = 0; h < _config.Heads; h++)
            {
                if (!run.KeepsHead(c, h) && _keptPlan.IsActive(_graph.HeadRow(layer, h))) _planner.AddSlot(_graph.HeadRow(layer, h));
            }
        }
        _steps.Add(new Step(StepKind.Carry, 2 * layer, new Range(0, run.Count)) { Inputs = new Mixed(first, run.Count, 1), Kept = true });
    }

    // A kept run's total goes from its place before a sublayer to that behind it.
    private void PlanJoin(PatchedRun run, int sublayer)
    {
        int first = _planner.Inputs;
        _planner.AddInput(0, takesTotal: false);
        for (int h = 0; h < _config.Heads && sublayer % 2 == 0; h++)
        {
            int row = _graph.HeadRow(sublayer / 2, h);
            if (run.Plans[0].IsActive(row)) _planner.AddSlot(run.Slot(0, row));
        }
        _steps.Add(new Step(StepKind.Join, sublayer, new Range(0, 1)) { Inputs = new Mixed(first, 1, 0), Kept = true });
    }

    private void PlanPlain(PassShape one, PatchedRun run, int layer, Range copies)
    {
        _mixed.Clear();
        _computed.Clear();
        for (int c = copies.First; c < copies.First + copies.Count; c++)
        {
            _mixed.Add((c, -1));
            for (int h = 0; h < _config.Heads; h++) _computed.Add((c, h));
        }
        _steps.Add(new Step(StepKind.Plain, 2 * layer, copies)
        {
            Inputs = PlanMix(run, run.Keep),
            Kept = run.Keep,
            Slotted = PlanSlots(one, run, layer, copies.First),
        });
    }

    // Copies from one on as long as they are not plain and their inputs find room.
    private void PlanHeads(PassShape one, PatchedRun run, int layer, int first, bool enters, out int end)
    {
        bool answers = AtAnswersFrom(one, layer);
        int most = _inputs.Shape[0];
        _computed.Clear();
        Range queryMembers = default;
        Mixed queryInputs = default;
        for (end = first; end < run.Count && (enters || !run.Plans[end].IsPlainAttention(layer)); end++)
        {
            int heads = _computed.Count;
            for (int h = 0; h < _config.Heads; h++)
            {
                if (run.Plans[end].IsActive(_graph.HeadRow(layer, h)) && !(enters && run.KeepsHead(end, h))) _computed.Add((end, h));
            }
            int others = Distinct(run, layer, answers ? 1 : 0, 3, enters);
            if (others <= most && (!answers || Distinct(run, layer, 0, 1, enters) <= most)) continue;
            _computed.RemoveRange(heads, _computed.Count - heads);
            break;
        }
        if (_computed.Count == 0) return;
        if (answers) (queryInputs, queryMembers) = PlanProjection(one, run, layer, 0, 1, enters, first, AnswersOf(one));
        (Mixed inputs, Range members) = PlanProjection(
            one, run, layer, answers ? 1 : 0, 3, enters, first, PlaceOf(one, 2 * layer));
        _steps.Add(new Step(StepKind.Heads, 2 * layer, new Range(first, end - first))
        {
            Inputs = inputs,
            QueryInputs = queryInputs,
            Kept = enters || run.Keep,
            Projected = members,
            ProjectedQueries = queryMembers,
            Slotted = PlanSlots(one, run, layer, first),
            Rounds = end - first == 1 ? default : PlanRounds(one, run, layer, first),
        });
    }

    // Lists the inputs of the heads in _computed in _mixed, equal ones once, and for each head and part in _inputOfHead which it is.
    private int Distinct(PatchedRun run, int layer, int firstPart, int endPart, bool enters)
    {
        _mixed.Clear();
        if (_inputOfHead.Length < 3 * _computed.Count) _inputOfHead = new int[3 * Math.Max(_computed.Count, _config.Heads)];
        (int copyStart, int copyOf) = (0, -1);
        for (int a = 0; a < _computed.Count; a++)
        {
            (int copy, int head) = _computed[a];
            if (copy != copyOf) (copyStart, copyOf) = (enters ? 0 : _mixed.Count, copy);
            for (int t = firstPart; t < endPart; t++)
            {
                int column = _graph.HeadColumn(layer, (HeadInput)t, head);
                int input = copyStart;
                while (input < _mixed.Count
                    && !run.Plans[copy].SameInput(column, run.Plans[_mixed[input].Copy], _mixed[input].Column)) input++;
                if (input == _mixed.Count) _mixed.Add((copy, column));
                _inputOfHead[(3 * a) + t] = input;
            }
        }
        return _mixed.Count;
    }

    // Queries (part 0), keys (1) and values (2) of the heads in _computed.
    private (Mixed Inputs, Range Members) PlanProjection(
        PassShape one, PatchedRun run, int layer, int firstPart, int endPart, bool enters, int firstCopy, in Place place)
    {
        Distinct(run, layer, firstPart, endPart, enters);
        int heads = _config.Heads;
        int first = _members.Count / ProductTable.Numbers;
        int queries = PlaceOf(one, (2 * layer) + 1).Rows, keys = checked((int)(_q.Length / _config.HeadWidth));
        for (int a = 0; a < _computed.Count; a++)
        {
            (int copy, int head) = (_computed[a].Copy - firstCopy, _computed[a].Head);
            for (int t = firstPart; t < endPart; t++)
            {
                int at = t == 0
                    ? (copy * queries * heads) + head
                    : keys + (2 * copy * place.Rows * heads) + (t == 2 ? heads : 0) + head;
                AddMember(_inputOfHead[(3 * a) + t], (t * heads) + head, at, t == 0 ? _d : 2 * _d);
            }
        }
        return (PlanMix(run, enters), Since(first));
    }

    // The heads in _computed that have slots.
    private Range PlanSlots(PassShape one, PatchedRun run, int layer, int firstCopy)
    {
        int first = _members.Count / ProductTable.Numbers;
        int rows = PlaceOf(one, (2 * layer) + 1).Rows;
        foreach ((int copy, int head) in _computed)
        {
            int slot = run.Slot(copy, _graph.HeadRow(layer, head));
            if (slot >= 0) AddMember(((copy - firstCopy) * rows * _config.Heads) + head, head, slot, _d);
        }
        return Since(first);
    }

    // The first heads of all copies, then the second ones, and so on.
    private Range PlanRounds(PassShape one, PatchedRun run, int layer, int firstCopy)
    {
        int firstRound = _rounds.Count;
        int rows = PlaceOf(one, (2 * layer) + 1).Rows;
        for (int round = 0; ; round++)
        {
            int first = _members.Count / ProductTable.Numbers;
            (int nth, int copyOf) = (0, -1);
            foreach ((int copy, int head) in _computed)
            {
                (nth, copyOf) = (copy == copyOf ? nth + 1 : 0, copy);
                if (nth == round && run.NeedsTotal(copy, 2 * layer))
                    AddMember(((copy - firstCopy) * rows * _config.Heads) + head, head, copy, _d);
            }
            if (Since(first).Count == 0) return new Range(firstRound, _rounds.Count - firstRound);
            _rounds.Add(Since(first));
        }
    }

    private void AddMember(int a, int b, int c, int strideC)
    {
        _members.Add(a);
        _members.Add(b);
        _members.Add(c);
        _members.Add(strideC);
    }

    private Range Since(int first) => new(first, (_members.Count / ProductTable.Numbers) - first);

    private void UploadPlaces()
    {
        int moves = _members.Count;
        _members.AddRange(_moves);
        if (_members.Count == 0) return;
        if (_places is null || _places.Length < _members.Count)
        {
            _places?.Dispose();
            _places = null;
            _places = _device.AllocateArray<int>(Math.Max(1024, 2 * _members.Count));
        }
        _places.Upload(CollectionsMarshal.AsSpan(_members));
        _movesAt = moves / 2;
    }

    private MixPlan MixesOf(in Mixed inputs) => _mixes with { First = inputs.First, Copies = inputs.Copies };

    private void Mix(PassShape one, in Step step, in Mixed inputs, in Place place, Tensor output)
    {
        (Tensor total, Tensor baseline) = Stream(one, step, place);
        _device.MixInputs(baseline, total, place.Slots, MixesOf(inputs), inputs.Count, place.Rows, _d, output);
    }

    // What a step reads: the totals of its copies or of the kept run, and the ablated residual stream. At the first sublayer that reads at
    // the answers, what stands at all rows has been brought there.
    private (Tensor Total, Tensor Ablated) Stream(PassShape one, in Step step, in Place place)
    {
        bool brought = place.AtAnswers && step.Sublayer == FirstAtAnswers(one);
        Tensor total = !step.Kept ? place.Total : brought ? _keptAnswerTotal! : _keptTotal[step.Sublayer];
        return (total, brought ? _ablatedAnswers : _ablated[step.Sublayer]);
    }

    private void Mlp(PassShape one, PatchedRun run, in Step step, int layer)
    {
        Place place = PlaceOf(one, step.Sublayer);
        int rows = step.Inputs.Count * place.Rows;
        Mix(one, step, step.Inputs, place, _inputs);
        MlpBlock.Forward(_weights, layer, rows, _inputs, new(_mean, _rstd, _normed, _derivative, _hidden), _output);
        var plan = new DifferencePlan(_places!, _movesAt + step.Moves.First, step.Moves.Count, run.Count, run.EndSlot);
        _device.TakeDifferences(
            _output, _target.Mlp[layer], plan, place.Rows, _d, place.Slots, run.Keep ? _keptTotal[step.Sublayer + 1] : place.Total,
            step.Kept ? _keptTotal[step.Sublayer] : null);
    }

    private void PlainHeads(PassShape one, PatchedRun run, in Step step, int layer)
    {
        Place place = PlaceOf(one, (2 * layer) + 1);
        Mix(one, step, step.Inputs, PlaceOf(one, 2 * layer), _inputs);
        PlainDifferences(one, layer, step.Copies.Count);
        Multiply(step.Slotted, layer, place, place.Slots, place.Slots.Shape[0] - 1, accumulate: false);
        if (run.Keep) return;
        int queries = step.Copies.Count * place.Rows;
        var total = new Matrix(place.Total, step.Copies.First * place.Length, queries, _d, _d);
        _device.Gemm(_z.AsMatrix(queries, _d), _weights.Layers[layer].OutputWeight.AsMatrix(), total, new GemmOptions(Accumulate: true));
    }

    private void Heads(PassShape one, PatchedRun run, in Step step, int layer)
    {
        Place place = PlaceOf(one, (2 * layer) + 1);
        if (step.QueryInputs.Count > 0) Project(one, step, step.QueryInputs, step.ProjectedQueries, layer, AnswersOf(one));
        Project(one, step, step.Inputs, step.Projected, layer, PlaceOf(one, 2 * layer));
        Attend(one, step, layer, place);
        for (int r = step.Rounds.First; r < step.Rounds.First + step.Rounds.Count; r++)
            Multiply(_rounds[r], layer, place, place.Total, run.Count - 1, accumulate: true);
        if (step.Copies.Count == 1 && !run.Keep) AddRuns(run, step.Copies.First, step.Kept, layer, place);
    }

    // One copy's heads onto its total, neighbours at once.
    private void AddRuns(PatchedRun run, int copy, bool enters, int layer, in Place place)
    {
        if (!run.NeedsTotal(copy, 2 * layer)) return;
        for (int h = 0, count; h < _config.Heads; h += count)
        {
            count = 1;
            if (!Computed(h)) continue;
            while (h + count < _config.Heads && Computed(h + count)) count++;
            var total = new Matrix(place.Total, copy * place.Length, place.Rows, _d, _d);
            _device.Gemm(
                new Matrix(_z, h * _config.HeadWidth, place.Rows, count * _config.HeadWidth, _d), OutputRows(layer, h, count), total,
                new GemmOptions(Accumulate: true));
        }

        bool Computed(int head) => run.Plans[copy].IsActive(_graph.HeadRow(layer, head)) && !(enters && run.KeepsHead(copy, head));
    }

    private void Project(PassShape one, in Step step, in Mixed inputs, Range members, int layer, in Place place)
    {
        Gpt2Layer w = _weights.Layers[layer];
        int hw = _config.HeadWidth;
        Mix(one, step, inputs, place, _inputs);
        int rows = inputs.Count * place.Rows;
        _device.LayerNorm(_inputs, w.AttentionGain, w.AttentionShift, _config.Epsilon, rows, _d, _mean, _rstd, _normed);
        var table = new ProductTable(
            _places!, members.First, members.Count, inputs.Count - 1, (3 * _config.Heads) - 1,
            checked((int)((_qkv.Length - ((place.Rows - 1L) * 2 * _d)) / hw)) - 1);
        _device.GroupedGemm(
            new Matrix(_normed, 0, place.Rows, _d, _d), w.QkvWeight.AsMatrix().SliceColumns(0, hw),
            new Matrix(_qkv, 0, place.Rows, hw, 2 * _d), table,
            new GemmOptions(Bias: w.QkvBias, StepA: place.Length, StepB: hw, StepC: hw));
    }

    // Attention of all heads of some copies, the differences of its outputs, and those that have slots.
    private void Attend(PassShape one, in Step step, int layer, in Place place)
    {
        PassShape shape = _shapes.Get(one.Spans, step.Copies.Count, one.AnswerOnly);
        SequenceLayout layout = AtAnswersFrom(one, layer) ? shape.Final : shape.All;
        _device.Attention(_q, _kv, layout, ForwardPass.HeadsOf(_config, layer), _probabilities, _z, _prefix?.Of(layer));
        _device.SubtractRows(_z, _target.Z[layer], place.Rows, step.Copies.Count * place.Rows, _d);
        Multiply(step.Slotted, layer, place, place.Slots, place.Slots.Shape[0] - 1, accumulate: false);
    }

    // Heads' parts of z times their rows of the output weights.
    private void Multiply(Range members, int layer, in Place place, Tensor target, int most, bool accumulate)
    {
        if (members.Count == 0) return;
        int hw = _config.HeadWidth;
        int mostA = checked((int)((_z.Length - ((place.Rows - 1L) * _d)) / hw)) - 1;
        var table = new ProductTable(_places!, members.First, members.Count, mostA, _config.Heads - 1, most);
        _device.GroupedGemm(
            new Matrix(_z, 0, place.Rows, hw, _d), OutputRows(layer, 0, 1), new Matrix(target, 0, place.Rows, _d, _d), table,
            new GemmOptions(Accumulate: accumulate, StepA: hw, StepB: (long)hw * _d, StepC: place.Length));
    }
}
