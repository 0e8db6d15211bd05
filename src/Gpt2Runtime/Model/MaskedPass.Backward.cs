using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

internal sealed partial class MaskedPass
{
    private readonly Tensor _differenceGradients;
    private readonly Tensor _answerGradients;
    private readonly Tensor _logitsGradient;
    private readonly Tensor _readerGradients;
    private readonly Tensor _dq;
    private readonly Tensor _dkv;

    /// <summary>After <see cref="Forward"/>: adds the derivative of the summed loss of all prompts by every mask.</summary>
    /// <param name="batch">The prompts of the forward pass.</param>
    /// <param name="mask">Its masks.</param>
    /// <param name="scores">[slots, columns] float64, added to; cells that are no edge are left with anything.</param>
    public void Backward(MaskedBatch batch, Tensor mask, DeviceArray<double> scores)
    {
        int rows = batch.Shape.Rows;
        Views views = ViewsOf(rows);
        Logits(batch, mask, scores);
        for (int l = _layers.Length - 1; l >= 0; l--)
        {
            MaskedPlan.Layer layer = _plan.Layers[l];
            if (layer.Mlp) MlpBackward(mask, views, l, rows, scores);
            if (layer.AttentionReaders > 0) AttentionBackward(batch, views, l);
            if (layer.Readers == 0) continue;
            _device.ContractEdges(_differences, layer.SlotsBefore, _readerGradients, layer.Readers, (long)rows * _d, scores, _plan.Columns, layer.FirstColumn);
            SpreadGradients(mask, layer, rows);
        }
    }

    // The logits read at the answer rows alone.
    private void Logits(MaskedBatch batch, Tensor mask, DeviceArray<double> scores)
    {
        int items = batch.Pairs.Count;
        int length = items * _d;
        _head.LossGradientAt(items, _logitsGradient);
        _device.ContractEdges(_answerDifferences, _plan.Slots, _logitsGradient, 1, length, scores, _plan.Columns, _plan.Columns - 1);
        _device.Gemm(LogitsMask(mask), new Matrix(_logitsGradient, 0, 1, length, length), new Matrix(_answerGradients, 0, _plan.Slots, length, length));
        _device.Fill(_differenceGradients, 0, (long)_plan.Slots * batch.Shape.Rows * _d);
        _device.ScatterAddRows(_answerGradients, batch.AnswerCells, _plan.Slots * items, _d, _differenceGradients);
    }

    private void MlpBackward(Tensor mask, Views views, int l, int rows, DeviceArray<double> scores)
    {
        MaskedPlan.Layer layer = _plan.Layers[l];
        LayerState state = _layers[l];
        Gpt2Layer w = _weights.Layers[l];
        int inner = _config.InnerWidth;
        int length = rows * _d;
        _device.Gemm(views.MlpDifferenceGradient[l]!.AsMatrix(rows, _d), w.DownWeight.AsMatrix().T, _hidden.AsMatrix(rows, inner));
        _device.MultiplyRows(_hidden, state.Derivative!, rows, rows, inner);
        _device.Gemm(_hidden.AsMatrix(rows, inner), w.UpWeight.AsMatrix().T, _wide.AsMatrix(rows, _d));
        _device.Fill(_readerGradients, 0, length);
        _device.LayerNormBackward(_wide, state.Inputs, w.MlpGain, state.MlpMean!, state.MlpRstd!, rows, rows, _d, _readerGradients, null, rows, 0);
        if (layer.Heads.Length == 0) return;

        // The layer's own heads feed its MLP and none of its other readers.
        long firstCell = ((long)layer.SlotsBefore * _plan.Columns) + layer.FirstColumn;
        _device.ContractEdges(views.HeadDifferences[l], layer.Heads.Length, _readerGradients, 1, length, scores, _plan.Columns, checked((int)firstCell));
        _device.Gemm(
            new Matrix(mask, firstCell, layer.Heads.Length, 1, _plan.Columns),
            new Matrix(_readerGradients, 0, 1, length, length),
            new Matrix(_differenceGradients, (long)layer.SlotsBefore * length, layer.Heads.Length, length, length),
            new GemmOptions(Accumulate: true));
    }

    private void AttentionBackward(MaskedBatch batch, Views views, int l)
    {
        MaskedPlan.Layer layer = _plan.Layers[l];
        LayerState state = _layers[l];
        Gpt2Layer w = _weights.Layers[l];
        int rows = batch.Shape.Rows;
        int width = layer.Heads.Length * _hw;
        foreach (MaskedPlan.Run run in layer.Outputs)
        {
            _device.Gemm(
                new Matrix(_differenceGradients, (long)run.At * rows * _d, rows, _d, _d),
                HeadOutput(l, run.Head).T,
                new Matrix(_z, run.Index * _hw, rows, _hw, width),
                new GemmOptions(Batch: run.Count, StepA: (long)rows * _d, StepB: (long)_hw * _d, StepC: _hw));
        }
        _device.AttentionBackward(
            _z, state.Q!, state.Kv!, state.Probabilities!, batch.Shape.All, layer.Heads.Length, _hw, _config.AttentionScale(l), 1, _dq, _dkv, batch.PrefixKeysValues[l]);
        for (int part = 0; part < 3; part++)
        {
            foreach (MaskedPlan.Run run in layer.Reading[part])
            {
                _device.Gemm(
                    Projected(layer, part, run.Index, rows, _dq, _dkv),
                    w.QkvWeight.AsMatrix().SliceColumns((part * _d) + (run.Head * _hw), _hw).T,
                    new Matrix(_wide, (long)(run.At - layer.MlpReaders) * rows * _d, rows, _d, _d),
                    new GemmOptions(Batch: run.Count, StepA: _hw, StepB: _hw, StepC: (long)rows * _d));
            }
        }
        int count = layer.AttentionReaders * rows;
        Tensor target = layer.Mlp ? views.AttentionGradients : _readerGradients;
        _device.Fill(target, 0, (long)count * _d);
        _device.LayerNormBackward(_wide, views.AttentionInputs[l], w.AttentionGain, state.Mean!, state.Rstd!, count, count, _d, target, null, count, 0);
    }

    // What the readers of a layer hand back to the writers before it. The input is slot 0 and needs no gradient.
    private void SpreadGradients(Tensor mask, MaskedPlan.Layer layer, int rows)
    {
        int length = rows * _d;
        int writers = layer.SlotsBefore - 1;
        if (writers <= 0) return;
        _device.Gemm(
            new Matrix(mask, _plan.Columns + layer.FirstColumn, writers, layer.Readers, _plan.Columns),
            new Matrix(_readerGradients, 0, layer.Readers, length, length),
            new Matrix(_differenceGradients, length, writers, length, length),
            new GemmOptions(Accumulate: true));
    }
}
