using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// The two runs of path patching (Wang et al. 2022), on a patched pass whose ablated outputs are the clean ones, so that all differences
/// are from the clean run. With a sender's output replaced and all heads frozen, only MLPs carry the difference on, position by position:
/// <see cref="RunSenders"/>. With the readers' inputs replaced, everything behind them runs: <see cref="RunReceivers"/>. Every sender is a
/// copy.
/// </summary>
/// <param name="weights">The weights of the model, on the device that computes.</param>
/// <param name="pass">The pass, on which the clean outputs have been set as the ablated ones.</param>
internal sealed class PathPass(Gpt2Weights weights, PatchedForwardPass pass)
{
    private readonly Device _device = weights.Device;
    private readonly ComputationGraph _graph = new(weights.Config);

    /// <summary>
    /// Replaces one sender's output per copy while all heads keep their clean outputs, and notes the differences that reach some sublayers.
    /// </summary>
    /// <param name="one">The batch, one copy.</param>
    /// <param name="senders">Rows of the senders, at most as many as there are copies.</param>
    /// <param name="differences">What replaces the senders' outputs, minus their clean outputs.</param>
    /// <param name="recomputeMlps">Whether MLPs behind a sender react to it.</param>
    /// <param name="sublayers">Where to note the difference of the residual stream, lowest first; 2 L for the logits.</param>
    /// <param name="noted">[copies, rows, D] per sublayer, out.</param>
    public void RunSenders(
        PassShape one, IReadOnlyList<int> senders, WriterOutputs differences, bool recomputeMlps, IReadOnlyList<int> sublayers,
        IReadOnlyList<Tensor> noted)
    {
        RequireAllRows(one);
        PatchedRun run = pass.State;
        run.Begin(senders.Count, _graph.Writers, 0, keep: false, continues: false);
        for (int c = 0; c < senders.Count; c++)
        {
            run.Plans[c] = run.OwnPlan(c);
            run.Plans[c].SetSender(senders[c]);
        }
        long length = (long)one.Rows * weights.Config.Width;
        _device.Fill(pass.Total, 0, senders.Count * length);
        int first = senders.Min(_graph.SublayerOfWriter), last = sublayers[^1];
        for (int s = first; s <= last; s++)
        {
            for (int i = 0; i < sublayers.Count; i++)
            {
                if (sublayers[i] == s) _device.CopyBlock(pass.Total, 0, noted[i], 0, senders.Count * length);
            }
            if (s == last) break;
            if (recomputeMlps && s >= 0 && s % 2 == 1) pass.RunMlp(one, s / 2);
            for (int c = 0; c < senders.Count; c++)
            {
                if (_graph.SublayerOfWriter(senders[c]) == s) pass.AddToTotal(one, c, senders[c], differences);
            }
        }
        foreach ((int sublayer, Tensor difference) in sublayers.Zip(noted))
        {
            // Nothing has reached a sublayer before the first sender.
            if (sublayer < first) _device.Fill(difference, 0, senders.Count * length);
        }
    }

    /// <summary>Runs the model with the inputs of some readers replaced, from the first of them on.</summary>
    /// <param name="one">The batch, one copy.</param>
    /// <param name="copies">Number of copies.</param>
    /// <param name="replacements">The replaced inputs.</param>
    /// <param name="replacementOf">Which of them a reader takes, by its column.</param>
    /// <param name="answers">[copies * items, D], out: the input of the logits at the answer rows.</param>
    public void RunReceivers(
        PassShape one, int copies, IReadOnlyList<InputReplacement> replacements, IReadOnlyDictionary<int, int> replacementOf,
        Tensor answers)
    {
        RequireAllRows(one);
        PatchedRun run = pass.State;
        run.Begin(copies, _graph.Writers + replacements.Count, replacements.Min(r => r.Sublayer), keep: false, continues: false);
        run.Replacements = replacements;
        PatchPlan plan = run.OwnPlan(0);
        plan.SetReceivers(replacements.Count, replacementOf);
        int first = pass.ReserveSlots(replacements.Count * copies);
        for (int c = 0; c < copies; c++)
        {
            run.Plans[c] = plan;
            for (int i = 0; i < replacements.Count; i++) run.Slot(c, _graph.Writers + i) = first + (i * copies) + c;
        }
        _device.Fill(pass.Total, 0, (long)copies * one.Rows * weights.Config.Width);
        pass.RunSublayers(one, answers);
    }

    // Receivers may stand at any position, and what they read there is noted.
    private static void RequireAllRows(PassShape one)
    {
        if (one.AnswerOnly) throw new ArgumentException("paths need the last layer at all rows", nameof(one));
    }
}
