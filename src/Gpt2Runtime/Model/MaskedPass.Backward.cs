using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;

namespace Gradpath.Gpt2Runtime.Model;

internal sealed partial class MaskedPass
{
    private readonly Tensor _differenceGradients;
    private readonly Tensor _answerGradients;
    private readonly Tensor _logitsGradient;
    private readonly Tensor _readerGradients;
    private readonly Tensor _answerReaderGradients;
    private readonly Tensor _dq;
    private readonly Tensor _dkv;

    /// <summary>After <see cref="Forward"/>: adds the derivative of the summed loss of all prompts by every mask.</summary>
    /// <param name="batch">The prompts of the forward pass.</param>
    /// <param name="mask">Its masks.</param>
    /// <param name="scores">[slots, columns] float64, added to; cells that are no edge are left with anything.</param>
    public void Backward(MaskedBatch batch, Tensor mask, DeviceArray<double> scores)
    {
        int rows = batch.Shape.Rows;
        int items = batch.Pairs.Count;
        Views views = ViewsOf(rows, items);
        Logits(batch, mask, scores);
        for (int l = _layers.Length - 1; l >= 0; l--)
        {
            MaskedPlan.Layer layer = _plan.Layers[l];
            if (layer.Mlp) MlpBackward(mask, views, l, batch.Shape.QueryRows(l, _layers.Length), scores);
            if (layer.AttentionReaders > 0) AttentionBackward(batch, views, l);
            int answered = 0;
            if (l == _last)
            {
                answered = layer.MlpAndQueryReaders;
                HandBack(mask, layer, 0, answered, items, _answerDifferences, _answerReaderGradients, _answerGradients, scores);
                _device.Fill(_differenceGradients, 0, (long)layer.SlotsBefore * rows * _d);
                _device.ScatterAddRows(_answerGradients, batch.AnswerCells, layer.SlotsBefore * items, _d, _differenceGradients);
            }
            HandBack(mask, layer, answered, layer.Readers - answered, rows, _differences, _readerGradients, _differenceGradients, scores);
        }
    }

    // The logits read at the answer rows alone.
    private void Logits(MaskedBatch batch, Tensor mask, DeviceArray<double> scores)
    {
        int items = batch.Pairs.Count;
        int length = items * _d;
        _head.LossGradientAt(items, _logitsGradient);
        _device.ContractEdges(
            _answerDifferences, _plan.Slots, _logitsGradient, 1, length, new ScoreBlock(scores, _plan.Columns, _plan.Columns - 1));
        _device.Gemm(LogitsMask(mask), new Matrix(_logitsGradient, 0, 1, length, length),
            new Matrix(_answerGradients, 0, _plan.Slots, length, length));
    }

    private void MlpBackward(Tensor mask, Views views, int l, int rows, DeviceArray<double> scores)
    {
        MaskedPlan.Layer layer = _plan.Layers[l];
        LayerState state = _layers[l];
        int length = rows * _d;
        (Tensor readers, Tensor gradients) = l == _last
            ? (_answerReaderGradients, _answerGradients)
            : (_readerGradients, _differenceGradients);
        _device.Fill(readers, 0, length);
        MlpBlock.Backward(
            _weights, l, new GradientRows(rows, rows, rows), views.MlpDifferenceGradient[l]!, state.MlpInput, MlpBuffers(state), readers);
        if (layer.Heads.Length == 0) return;

        // The layer's own heads feed its MLP and none of its other readers.
        long firstCell = ((long)layer.SlotsBefore * _plan.Columns) + layer.FirstColumn;
        _device.ContractEdges(
            views.HeadDifferences[l], layer.Heads.Length, readers, 1, length, new ScoreBlock(scores, _plan.Columns, firstCell));
        _device.Gemm(
            new Matrix(mask, firstCell, layer.Heads.Length, 1, _plan.Columns),
            new Matrix(readers, 0, 1, length, length),
            new Matrix(gradients, (long)layer.SlotsBefore * length, layer.Heads.Length, length, length),
            new GemmOptions(Accumulate: true));
    }

    private void AttentionBackward(MaskedBatch batch, Views views, int l)
    {
        MaskedPlan.Layer layer = _plan.Layers[l];
        LayerState state = _layers[l];
        int rows = batch.Shape.Rows;
        int queries = batch.Shape.QueryRows(l, _layers.Length);
        int width = layer.Heads.Length * _hw;
        foreach (MaskedPlan.Run run in layer.Outputs)
        {
            _device.Gemm(
                new Matrix(l == _last ? _answerGradients : _differenceGradients, (long)run.At * queries * _d, queries, _d, _d),
                HeadOutput(l, run.Head).T,
                new Matrix(_z, run.Index * _hw, queries, _hw, width),
                new GemmOptions(Batch: run.Count, StepA: (long)queries * _d, StepB: (long)_hw * _d, StepC: _hw));
        }
        SequenceLayout layout = l == _last ? batch.Shape.Final : batch.Shape.All;
        _device.AttentionBackward(
            _z, state.Q!, state.Kv!, state.Probabilities!, layout, HeadsOf(layer, l), 1, _dq, _dkv, batch.PrefixKeysValues[l]);
        if (l == _last)
        {
            ProjectBackward(l, 0, 1, layer.MlpReaders, layer.MlpAndQueryReaders, queries, views.QueryInputs, state.QueryMean!,
                state.QueryRstd!, views.QueryGradients);
            ProjectBackward(l, 1, 3, layer.MlpAndQueryReaders, layer.Readers, rows, views.AttentionInputs[l], state.Mean!, state.Rstd!,
                _readerGradients);
            return;
        }
        Tensor target = layer.Mlp ? views.AttentionGradients : _readerGradients;
        ProjectBackward(l, 0, 3, layer.MlpReaders, layer.Readers, rows, views.AttentionInputs[l], state.Mean!, state.Rstd!, target);
    }

    // From the gradients of queries (part 0), keys (1) and values (2) to those of the readers from one to another.
    private void ProjectBackward(
        int l, int firstPart, int endPart, int firstReader, int endReader, int rows, Tensor inputs, Tensor mean, Tensor rstd, Tensor target)
    {
        if (firstReader == endReader) return;
        Gpt2Layer w = _weights.Layers[l];
        for (int part = firstPart; part < endPart; part++)
        {
            foreach (MaskedPlan.Run run in _plan.Layers[l].Reading[part])
            {
                _device.Gemm(
                    Projected(_plan.Layers[l], part, run.Index, rows, _dq, _dkv),
                    w.QkvWeight.AsMatrix().SliceColumns((part * _d) + (run.Head * _hw), _hw).T,
                    new Matrix(_wide, (long)(run.At - firstReader) * rows * _d, rows, _d, _d),
                    new GemmOptions(Batch: run.Count, StepA: _hw, StepB: _hw, StepC: (long)rows * _d));
            }
        }
        int count = (endReader - firstReader) * rows;
        _device.LayerNormBackward(
            _wide, inputs, w.AttentionGain, mean, rstd, new GradientRows(count, count, count), _d, target, null, 0, fresh: true);
    }

    // The scores of some readers of a layer, and what they hand back to the writers before it. The input is slot 0 and needs no gradient.
    private void HandBack(
        Tensor mask, MaskedPlan.Layer layer, int first, int count, int rows, Tensor differences, Tensor readers, Tensor gradients,
        DeviceArray<double> scores)
    {
        if (count == 0) return;
        int length = rows * _d;
        _device.ContractEdges(
            differences, layer.SlotsBefore, readers, count, length, new ScoreBlock(scores, _plan.Columns, layer.FirstColumn + first));
        int writers = layer.SlotsBefore - 1;
        if (writers <= 0) return;
        _device.Gemm(
            new Matrix(mask, _plan.Columns + layer.FirstColumn + first, writers, count, _plan.Columns),
            new Matrix(readers, 0, count, length, length),
            new Matrix(gradients, length, writers, length, length),
            new GemmOptions(Accumulate: true));
    }
}
