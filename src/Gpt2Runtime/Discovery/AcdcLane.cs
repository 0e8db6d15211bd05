using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>One batch of prompts with its kept run.</summary>
internal sealed class AcdcLane : ResourceOwner
{
    private readonly int[] _items;
    private readonly ComputationGraph _graph;
    private readonly int _width;
    private readonly PassShape _one;
    private readonly PatchedForwardPass _patched;
    private readonly OutputHead _head;
    private readonly Tensor _answers;
    private readonly double[] _objectives;

    /// <summary>Runs the full model on a batch and keeps what candidates start from.</summary>
    /// <param name="context">The search's run.</param>
    /// <param name="metric">The objective's metric.</param>
    /// <param name="items">Indices of the batch's items.</param>
    /// <param name="copies">Most candidates that run at once.</param>
    /// <param name="ablation">What removed edges carry.</param>
    public AcdcLane(RunContext context, Metric metric, int[] items, int copies, AblationTargets ablation)
    {
        Device device = context.Device;
        _items = items;
        _graph = context.Graph;
        _width = context.Config.Width;
        _objectives = new double[copies * items.Length];
        using PairBatch batch = context.Batch(items);
        var capacity = PassCapacity.For(batch.Spans, 1, true);
        _one = Own(new PassShape(device, batch.Spans, 1, true));
        _patched = Own(new PatchedForwardPass(context.Weights, capacity, copies, continues: true));
        _head = Own(new OutputHead(context.Weights, metric, items.Length, 2 * items.Length));
        _answers = Own(device.Allocate(copies * items.Length, _width));
        WriterOutputs target = Own(new WriterOutputs(context.Config, device, capacity));

        // What only the kept run needs is given back before the search starts.
        using var both = new PassShape(device, batch.Spans, 2, true);
        using var pair = new PairRun(context, batch.Spans, true, _head);
        pair.Run(batch, both);
        pair.TakeWriters(both, 1, target);
        ablation.Target(_one, target, target);
        PrefixKeys? prefix = pair.ReleasePrefix();
        if (prefix is not null) Own(prefix);
        _patched.SetAblation(_one, target.Target, prefix);
        _patched.Run(_one, pair.Prompts.Clean, [new PatchedCircuit(context.Graph, null)], true, _answers, keep: true);
        Judge(0);
    }

    /// <summary>Allocates what candidates take at most; see <see cref="Rehearsal"/>.</summary>
    public void Rehearse() => _patched.Reserve(_one, 1, _objectives.Length / _items.Length * _graph.Writers);

    /// <summary>Runs candidates and notes their objectives.</summary>
    /// <param name="circuits">The candidates.</param>
    /// <param name="ablatedInputsMatter">See <see cref="RunContext.AblatedInputsMatter"/>.</param>
    /// <param name="from">The sublayer before which they are the full model.</param>
    public void Run(PatchedCircuit[] circuits, bool ablatedInputsMatter, int from)
    {
        _patched.Continue(_one, circuits, ablatedInputsMatter, from, _answers);
        for (int c = 0; c < circuits.Length; c++) Judge(c);
    }

    /// <summary>Puts the objectives of one candidate, or after construction of the full model, in their places.</summary>
    /// <param name="copy">Index of the candidate.</param>
    /// <param name="byItem">[items of the run], the batch's own are set.</param>
    public void TakeValues(int copy, double[] byItem)
    {
        for (int i = 0; i < _items.Length; i++) byItem[_items[i]] = _objectives[(copy * _items.Length) + i];
    }

    private void Judge(int copy)
    {
        using Tensor rows = _answers.Slice((long)copy * _items.Length * _width, _items.Length, _width);
        _head.EvaluateRows(rows, _items.Length);
        _head.Values.AsSpan(0, _items.Length).CopyTo(_objectives.AsSpan(copy * _items.Length));
    }
}
