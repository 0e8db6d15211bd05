using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

// The unpatched run as the kept one, from what a plain pass over the same prompts has left: nothing is run again. A writer's difference is
// its output less the ablated one, and a total is the sum of differences, not the difference of residual streams: so an input that lists
// all differences but those that are 0 has the bits of one that takes the total.
internal sealed partial class PatchedForwardPass
{
    private readonly bool[] _keepsTotal;

    /// <summary>Keeps the unpatched run of a batch, so that others can continue it.</summary>
    /// <param name="one">The batch, one copy.</param>
    /// <param name="plain">A plain pass with all writers.</param>
    /// <param name="embeddings">The token embeddings of its copies.</param>
    /// <param name="copy">Which of its copies are the unpatched prompts.</param>
    public void Keep(PassShape one, Activations plain, Tensor embeddings, int copy)
    {
        Array.Clear(_keepsTotal);
        _keptPlan.SetCircuit(new PatchedCircuit(_graph, null), true, 0);
        _keptSlots = 0;
        GrowSlots(_graph.Writers);
        int last = _config.Layers - 1;
        Place all = PlaceOf(one, 0);
        Place end = PlaceOf(one, _last);
        int length = checked((int)all.Length);
        Difference(Row(embeddings, copy, length), Row(_target.Input, 0, length), Row(all.Slots, ComputationGraph.InputRow, length));
        Difference(
            plain.Writers.Mlps(copy * one.Rows, one.Rows), _target.Blocks.Mlps(0, one.Rows),
            new Matrix(all.Slots, _graph.MlpRow(0) * all.Length, last, length, checked((_config.Heads + 1) * length)));
        int most = _inputs.Shape[0];
        for (int first = 0; first < last; first += most)
        {
            int count = Math.Min(most, last - first);
            Difference(
                plain.Writers.Heads(copy * one.Rows, one.Rows, first, count), _target.Blocks.Heads(0, one.Rows, first, count),
                new Matrix(_inputs, 0, count, length, length));
            for (int i = 0; i < count; i++) KeepAllHeads(first + i, _inputs, i * all.Length, all);
        }
        if (one.AnswerOnly) SlotsToAnswers(one, 0, _graph.HeadRow(last, 0));
        length = checked((int)end.Length);
        Difference(
            Row(plain.MlpOutput[last], copy, length), Row(_target.Mlp[last], 0, length), Row(end.Slots, _graph.MlpRow(last), length));
        Difference(Row(plain.Z[last], copy, length), Row(_target.Z[last], 0, length), Row(_inputs, 0, length));
        KeepAllHeads(last, _inputs, 0, end);
        if (!one.AnswerOnly) SlotsToAnswers(one, 0, _graph.Writers);
        _keptSlots = _graph.Writers;
    }

    /// <summary>
    /// Makes a layer's heads of the kept run as a continued run makes them. Without it a head of a run that starts here differs from the
    /// kept one by rounding even where its inputs are those of the kept run.
    /// </summary>
    /// <param name="one">The batch, one copy.</param>
    /// <param name="layer">Index of the layer.</param>
    public void KeepHeads(PassShape one, int layer)
    {
        Place place = PlaceOf(one, (2 * layer) + 1);
        KeepTotal(one, 2 * layer);
        _device.Combine(1, _ablated[2 * layer], 1, _keptTotal[2 * layer], PlaceOf(one, 2 * layer).Length, _inputs);
        PlainDifferences(one, layer, 1);
        KeepAllHeads(layer, _z, 0, place);
        if (!place.AtAnswers) SlotsToAnswers(one, _graph.HeadRow(layer, 0), _config.Heads);
        Array.Clear(_keepsTotal, (2 * layer) + 1, _last - (2 * layer));
    }

    private static Matrix Row(Tensor blocks, int index, int length) => new(blocks, (long)index * length, 1, length, length);

    private void Difference(in Matrix plain, in Matrix ablated, in Matrix difference) =>
        _device.CombineBlocks(1, plain, -1, ablated, null, _d, difference);

    // The total before a sublayer, where a continued run asks for it first.
    private void KeepTotal(PassShape one, int sublayer)
    {
        if (_keepsTotal[sublayer]) return;
        _keepsTotal[sublayer] = true;
        Place place = PlaceOf(one, sublayer);
        _planner.Begin(1);
        _planner.AddInput(0, takesTotal: false);
        for (int u = 0; u < _graph.WritersBeforeSublayer(sublayer); u++) _planner.AddSlot(u);
        _device.MixInputs(_zero!, _zero!, place.Slots, _planner.Upload(), 1, place.Rows, _d, _keptTotal[sublayer]);
        if (sublayer == FirstAtAnswers(one)) _device.GatherRows(_keptTotal[sublayer], one.AnswerRows, one.Items, _d, _keptAnswerTotal!);
    }

    // The differences z W_O of a layer's heads from those of z.
    private void KeepAllHeads(int layer, Tensor z, long offset, in Place place)
    {
        int hw = _config.HeadWidth;
        _device.Gemm(
            new Matrix(z, offset, place.Rows, hw, _d), OutputRows(layer, 0, 1),
            new Matrix(place.Slots, _graph.HeadRow(layer, 0) * place.Length, place.Rows, _d, _d),
            new GemmOptions(Batch: _config.Heads, StepA: hw, StepB: (long)hw * _d, StepC: place.Length));
    }
}
