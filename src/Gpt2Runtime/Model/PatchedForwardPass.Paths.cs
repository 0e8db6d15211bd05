using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>What some readers of one sublayer read at some rows.</summary>
/// <param name="Sublayer">The sublayer, 2 L for the logits.</param>
/// <param name="Difference">[copies, rows, D]: the difference of the replaced input from the ablated residual stream.</param>
/// <param name="RowMask">[rows]: 1 where it replaces the reader's input, 0 where the reader keeps its own.</param>
internal sealed record InputReplacement(int Sublayer, Tensor Difference, Tensor RowMask);

// Path patching (Wang et al. 2022), on this pass with the clean outputs in the role of the ablated ones, so that all differences are from
// the clean run. With a sender's output replaced and all heads frozen, only MLPs carry the difference on, position by position; with the
// readers' inputs replaced, everything behind them runs. Every sender is a copy.
internal sealed partial class PatchedForwardPass
{
    /// <summary>
    /// Replaces one sender's output per copy while all heads keep their clean outputs, and notes the differences that reach some sublayers.
    /// </summary>
    /// <param name="one">The batch, one copy.</param>
    /// <param name="senders">Rows of the senders, at most as many as there are copies.</param>
    /// <param name="differences">What replaces the senders' outputs, minus their clean outputs.</param>
    /// <param name="recomputeMlps">Whether MLPs behind a sender react to it.</param>
    /// <param name="sublayers">Where to note the difference of the residual stream, lowest first; 2 L for the logits.</param>
    /// <param name="noted">[copies, rows, D] per sublayer, out.</param>
    public void RunSenders(PassShape one, IReadOnlyList<int> senders, WriterOutputs differences, bool recomputeMlps,
        IReadOnlyList<int> sublayers, IReadOnlyList<Tensor> noted)
    {
        RequireAllRows(one);
        RunState run = _run;
        run.Begin(senders.Count, _graph.Writers, 0, keep: false, continues: false);
        for (int c = 0; c < senders.Count; c++)
        {
            run.Plans[c] = run.OwnPlan(c);
            run.Plans[c].SetSender(senders[c]);
        }
        long length = (long)one.Rows * _d;
        _device.Fill(_total, 0, senders.Count * length);
        int last = sublayers[^1];
        for (int s = senders.Min(_graph.SublayerOfWriter); s <= last; s++)
        {
            for (int i = 0; i < sublayers.Count; i++)
            {
                if (sublayers[i] == s) _device.CopyBlock(_total, 0, noted[i], 0, senders.Count * length);
            }
            if (s == last) break;
            if (recomputeMlps && s >= 0 && s % 2 == 1) Mlp(one, run, s / 2);
            for (int c = 0; c < senders.Count; c++)
            {
                if (_graph.SublayerOfWriter(senders[c]) == s) AddSender(one, c, senders[c], s, differences);
            }
        }
        foreach ((int sublayer, Tensor difference) in sublayers.Zip(noted))
        {
            // Nothing has reached a sublayer before the first sender.
            if (sublayer < senders.Min(_graph.SublayerOfWriter)) _device.Fill(difference, 0, senders.Count * length);
        }
    }

    /// <summary>Runs the model with the inputs of some readers replaced, from the first of them on.</summary>
    /// <param name="one">The batch, one copy.</param>
    /// <param name="copies">Number of copies.</param>
    /// <param name="replacements">The replaced inputs.</param>
    /// <param name="replacementOf">Which of them a reader takes, by its column.</param>
    /// <param name="answers">[copies * items, D], out: the input of the logits at the answer rows.</param>
    public void RunReceivers(PassShape one, int copies, IReadOnlyList<InputReplacement> replacements,
        IReadOnlyDictionary<int, int> replacementOf, Tensor answers)
    {
        RequireAllRows(one);
        RunState run = _run;
        run.Begin(copies, _graph.Writers + replacements.Count, replacements.Min(r => r.Sublayer), keep: false, continues: false);
        run.Replacements = replacements;
        PatchPlan plan = run.OwnPlan(0);
        plan.SetReceivers(replacements.Count, replacementOf);
        for (int c = 0; c < copies; c++)
        {
            run.Plans[c] = plan;
            for (int i = 0; i < replacements.Count; i++) run.Slot(c, _graph.Writers + i) = _keptSlots + (i * copies) + c;
        }
        run.FirstSlot = _keptSlots;
        run.EndSlot = _keptSlots + (replacements.Count * copies);
        GrowSlots(run.EndSlot);
        _device.Fill(_total, 0, (long)copies * one.Rows * _d);
        RunSublayers(one, run, answers);
    }

    // Receivers may stand at any position, and what they read there is noted.
    private static void RequireAllRows(PassShape one)
    {
        if (one.AnswerOnly) throw new ArgumentException("paths need the last layer at all rows", nameof(one));
    }

    // A reader takes its replacement off the total: total - mask (total - difference) is the difference at masked rows, the total
    // elsewhere.
    private void Replace(PassShape one, RunState run, int sublayer)
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

    private void AddSender(PassShape one, int copy, int sender, int sublayer, WriterOutputs differences)
    {
        long length = (long)one.Rows * _d;
        if (sublayer >= 0 && sublayer % 2 == 0)
        {
            int layer = sublayer / 2;
            int head = sender - _graph.HeadRow(layer, 0);
            var z = new Matrix(differences.Z[layer], head * _config.HeadWidth, one.Rows, _config.HeadWidth, _d);
            _device.Gemm(
                z, OutputRows(layer, head, 1), new Matrix(_total, copy * length, one.Rows, _d, _d), new GemmOptions(Accumulate: true));
            return;
        }
        _device.AddBlock(sublayer < 0 ? differences.Input : differences.Mlp[sublayer / 2], 0, _total, copy * length, length);
    }
}
