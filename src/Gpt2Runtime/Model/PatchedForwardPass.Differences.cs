using System.Runtime.InteropServices;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;

namespace Gradpath.Gpt2Runtime.Model;

// Where the differences of a patched pass are kept and how readers' inputs are made of them. A difference that some input lists has a slot;
// the sum of all differences of a copy is its total. Both exist at all rows and, from the last layer on, at the answer rows.
internal sealed partial class PatchedForwardPass
{
    private readonly MixPlanner _planner;
    private readonly List<(int Copy, int Column)> _mixed = [];
    private readonly Tensor _total;
    private readonly Tensor _answerTotal;
    private readonly Tensor[] _keptTotal;
    private readonly Tensor? _keptAnswerTotal;
    private readonly Tensor? _zero;
    private Tensor _slots;
    private Tensor _answerSlots;
    private DeviceArray<int>? _answerCells;
    private Tensor? _answerSlotsFrom;
    private (PassShape? Shape, int First, int Count) _cellsOf;
    private int _keptSlots;

    private readonly record struct Place(int Rows, long Length, Tensor Slots, Tensor Total, bool AtAnswers);

    // The first sublayer some of whose readers read at the answer rows alone.
    private int FirstAtAnswers(PassShape one) => one.AnswerOnly ? _last - 2 : _last;

    // The rows at which the residual stream before a sublayer exists.
    private Place PlaceOf(PassShape one, int boundary) =>
        one.AnswerOnly && boundary >= _last - 1
            ? AnswersOf(one)
            : new Place(one.Rows, (long)one.Rows * _d, _slots, _total, AtAnswers: false);

    private Place AnswersOf(PassShape one) => new(one.Items, (long)one.Items * _d, _answerSlots, _answerTotal, AtAnswers: true);

    // A kept run gives every writer the slot of its row; what continues it shares those and adds its own behind them.
    private void ReserveSlots(PatchedRun run)
    {
        int firstOwn = _graph.WritersBeforeSublayer(run.From);
        int firstBehind = run.Enters(run.From) ? _graph.MlpRow(run.From / 2) : firstOwn;
        int next = run.FirstSlot = run.Keep ? 0 : _keptSlots;
        for (int c = 0; c < run.Count; c++)
        {
            for (int u = 0; u < run.Writers; u++)
            {
                bool kept = run.Continues && (u < firstOwn || (u < firstBehind && run.KeepsHead(c, u - firstOwn)));
                if (kept || run.Keep) run.Slot(c, u) = u;
                else if (u >= (run.Continues ? firstOwn : 0) && run.Plans[c].IsListed(u)) run.Slot(c, u) = next++;
            }
        }
        run.EndSlot = run.Keep ? run.Writers : next;
        GrowSlots(run.EndSlot);

        // What a kept run leaves inactive differs by nothing, and the runs that continue it may ask.
        if (run.Keep) _device.Fill(_slots, 0, (long)run.Writers * _one.Rows * _d);
    }

    private void GrowSlots(int count)
    {
        if (count <= _slots.Shape[0]) return;
        _answerSlotsFrom = null;
        _slots = Larger(_slots, _one.Rows);
        _answerSlots = Larger(_answerSlots, _one.Sequences);
        _answerSlotsFrom = null;
        _cellsOf = default;

        Tensor Larger(Tensor old, int rows)
        {
            // What no run is kept in is given back first.
            if (_keptSlots == 0) old.Dispose();
            Tensor larger = _device.AllocateZeros(count, rows, _d);
            if (_keptSlots == 0) return larger;
            _device.CopyBlock(old, 0, larger, 0, Math.Min(old.Length, (long)_keptSlots * rows * _d));
            old.Dispose();
            return larger;
        }
    }

    // A reader takes its replacement off the total: total - mask (total - difference) is the difference at masked rows, the total
    // elsewhere.
    private void Replace(PassShape one, PatchedRun run, int sublayer)
    {
        long length = (long)one.Rows * _d;
        for (int i = 0; i < run.Replacements.Count; i++)
        {
            InputReplacement replacement = run.Replacements[i];
            if (replacement.Sublayer != sublayer) continue;
            int first = run.Slot(0, _graph.Writers + i);
            using Tensor slots = _slots.Slice(first * length, run.Count, one.Rows, _d);
            _device.Combine(1, _total, -1, replacement.Difference, run.Count * length, slots);
            _device.ScaleRows(slots, replacement.RowMask, one.Rows, run.Count * one.Rows, _d, slots);
        }
    }

    // Heads that read in the first sublayer what they read in the kept run have its difference.
    private void FindKeptHeads(PatchedRun run, int copy)
    {
        if (!run.Enters(run.From)) return;
        PatchPlan plan = run.Plans[copy];
        for (int h = 0; h < _config.Heads; h++)
        {
            bool same = plan.IsActive(_graph.HeadRow(run.From / 2, h)) && _keptPlan.IsActive(_graph.HeadRow(run.From / 2, h));
            for (int t = 0; t < 3 && same; t++)
            {
                int column = _graph.HeadColumn(run.From / 2, (HeadInput)t, h);
                same = plan.SameInput(column, _keptPlan, column);
            }
            run.KeepsHead(copy, h) = same;
        }
    }

    // The totals behind the first attention of a continued run, so far without the heads that are computed anew: the kept run's total less
    // its differences of those.
    private void CarryKeptHeads(PassShape one, PatchedRun run)
    {
        int layer = run.From / 2;
        Place place = PlaceOf(one, run.From + 1);
        _planner.Begin(run.Count);
        for (int c = 0; c < run.Count; c++)
        {
            _planner.AddInput(0, takesTotal: true);
            for (int h = 0; h < _config.Heads; h++)
            {
                if (!run.KeepsHead(c, h) && _keptPlan.IsActive(_graph.HeadRow(layer, h))) _planner.AddSlot(_graph.HeadRow(layer, h));
            }
        }
        _device.MixInputs(_keptTotal[run.From + 1], _zero!, place.Slots, _planner.Upload(), run.Count, place.Rows, _d, place.Total);
    }

    // Brings what has been gathered at all rows to the answer rows.
    private void ToAnswers(PassShape one, PatchedRun run, int sublayer)
    {
        if (sublayer != FirstAtAnswers(one)) return;
        if (_groups && run.Keep)
        {
            _device.GatherRows(_keptTotal[sublayer], one.AnswerRows, one.Items, _d, _keptAnswerTotal!);
        }
        else if (!run.Enters(sublayer))
        {
            DeviceArray<int> rows = _shapes.Get(one.Spans, run.Count, one.AnswerOnly).AnswerRows;
            _device.GatherRows(_total, rows, run.Count * one.Items, _d, _answerTotal);
            if (run.Keep) _device.CopyBlock(_answerTotal, 0, _keptAnswerTotal!, 0, (long)one.Items * _d);
        }
        int count = run.EndSlot - run.FirstSlot;
        if (count == 0 || (one.AnswerOnly && run.From == sublayer && run.Continues)) return;
        SlotsToAnswers(one, run.FirstSlot, count);
    }

    private void SlotsToAnswers(PassShape one, int first, int count)
    {
        if (!ReferenceEquals(_cellsOf.Shape, one) || _cellsOf.First != first || _cellsOf.Count < count) MakeCells(one, first, count);
        _device.GatherRows(_slots, _answerCells!, count * one.Items, _d, _answerSlotsFrom!);
    }

    private void MakeCells(PassShape one, int first, int count)
    {
        int[] answers = new int[one.Items];
        for (int i = 0, end = 0; i < one.Items; i++) answers[i] = (end += one.Spans[i].Length) - 1;
        var cells = new int[count * one.Items];
        for (int i = 0; i < cells.Length; i++) cells[i] = checked(((first + (i / one.Items)) * one.Rows) + answers[i % one.Items]);
        if (_answerCells is null || _answerCells.Length < cells.Length)
        {
            _answerCells?.Dispose();
            _answerCells = _device.AllocateArray<int>(cells.Length);
        }
        _answerCells.Upload(cells);
        long at = (long)first * one.Items * _d;
        _answerSlotsFrom = _answerSlots.Slice(at, checked((int)(_answerSlots.Length - at)));
        _cellsOf = (one, first, count);
    }

    private void KeepDifference(PatchedRun run, int copy, int writer, Tensor differences, int index, in Place place)
    {
        int slot = run.Slot(copy, writer);
        if (slot >= 0) _device.CopyBlock(differences, index * place.Length, place.Slots, slot * place.Length, place.Length);
    }

    // The inputs that _mixed names; a negative column stands for the whole residual stream.
    private void Mix(PassShape one, PatchedRun run, int sublayer, in Place place, Tensor output)
    {
        bool enters = run.Enters(sublayer);
        Tensor baseline = place.AtAnswers && sublayer == FirstAtAnswers(one) ? _ablatedAnswers : _ablated[sublayer];
        Tensor total = !enters ? place.Total : place.AtAnswers ? _keptAnswerTotal! : _keptTotal[sublayer];
        _planner.Begin(_mixed.Count);
        foreach ((int copy, int column) in CollectionsMarshal.AsSpan(_mixed))
        {
            PatchPlan plan = run.Plans[copy];
            PatchPlan.Input input = column < 0 ? PatchPlan.Input.Everything : plan.InputOf(column);
            _planner.AddInput(enters ? 0 : copy, input.TakesTotal);
            foreach (int writer in plan.WritersOf(input)) _planner.AddSlot(run.Slot(copy, writer));
        }
        _device.MixInputs(baseline, total, place.Slots, _planner.Upload(), _mixed.Count, place.Rows, _d, output);
    }
}
