using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

internal sealed partial class MaskedPass
{
    // What the backward pass needs of a layer. In the last one MLP and queries exist at the answer rows.
    private sealed class LayerState
    {
        public LayerState(
            Device device, Gpt2Config config, MaskedPlan.Layer layer, PassCapacity capacity, bool last, Func<Tensor, Tensor> own)
        {
            int rows = capacity.Rows;
            int width = layer.Heads.Length * config.HeadWidth;
            int answered = last ? layer.MlpAndQueryReaders : 0;
            int queries = last ? capacity.Sequences : rows;
            Inputs = own(device.Allocate(layer.Readers - answered, rows, config.Width));
            if (last) AnswerInputs = own(device.Allocate(answered, queries, config.Width));
            if (layer.Mlp)
            {
                MlpMean = own(device.Allocate(queries));
                MlpRstd = own(device.Allocate(queries));
                Derivative = own(device.Allocate(queries, config.InnerWidth));
            }
            if (width == 0) return;
            int atAllRows = layer.Readers - (last ? answered : layer.MlpReaders);
            Mean = own(device.Allocate(atAllRows * rows));
            Rstd = own(device.Allocate(atAllRows * rows));
            QueryMean = last ? own(device.Allocate((answered - layer.MlpReaders) * queries)) : null;
            QueryRstd = last ? own(device.Allocate((answered - layer.MlpReaders) * queries)) : null;
            Q = own(device.Allocate(queries, width));
            Kv = own(device.Allocate(rows, 2 * width));
            Probabilities = own(device.Allocate(checked((int)(layer.Heads.Length * (last ? capacity.FinalProbabilitiesPerHead
                : capacity.ProbabilitiesPerHead)))));
        }

        // Inputs of the readers at all rows.
        public Tensor Inputs { get; }

        // The last layer's MLP and queries.
        public Tensor? AnswerInputs { get; }

        public Tensor MlpInput => AnswerInputs ?? Inputs;

        public Tensor? MlpMean { get; }

        public Tensor? MlpRstd { get; }

        public Tensor? Derivative { get; }

        public Tensor? Mean { get; }

        public Tensor? Rstd { get; }

        public Tensor? QueryMean { get; }

        public Tensor? QueryRstd { get; }

        public Tensor? Q { get; }

        public Tensor? Kv { get; }

        public Tensor? Probabilities { get; }
    }

    // Parts of the workspace whose place depends on the number of rows.
    private sealed class Views
    {
        public Views(MaskedPass pass, int rows, int items)
        {
            int layers = pass._layers.Length;
            int d = pass._d;
            AttentionInputs = new Tensor[layers];
            HeadDifferences = new Tensor[layers];
            MlpDifference = new Tensor?[layers];
            MlpDifferenceGradient = new Tensor?[layers];
            long all = (long)rows * d;
            for (int l = 0; l < layers; l++)
            {
                MaskedPlan.Layer layer = pass._plan.Layers[l];
                bool last = l == pass._last;
                int queries = last ? items : rows;
                long length = (long)queries * d;
                Tensor differences = last ? pass._answerDifferences : pass._differences;
                int before = last ? 0 : layer.MlpReaders;
                AttentionInputs[l] = pass._layers[l].Inputs.Slice(
                    before * all, layer.Readers - (last ? layer.MlpAndQueryReaders : before), rows, d);
                HeadDifferences[l] = differences.Slice(layer.SlotsBefore * length, layer.Heads.Length, queries, d);
                if (!layer.Mlp) continue;
                MlpDifference[l] = differences.Slice(layer.MlpSlot * length, queries, d);
                MlpDifferenceGradient[l] = (last ? pass._answerGradients : pass._differenceGradients).Slice(
                    layer.MlpSlot * length, queries, d);
            }
            AttentionGradients = pass._readerGradients.Slice(
                Math.Min(all, pass._readerGradients.Length - all), pass._plan.MostReaders - 1, rows, d);
            MaskedPlan.Layer final = pass._plan.Layers[pass._last];
            int readQueries = final.MlpAndQueryReaders - final.MlpReaders;
            QueryInputs = pass._layers[pass._last].AnswerInputs!.Slice((long)final.MlpReaders * items * d, readQueries, items, d);
            QueryGradients = pass._answerReaderGradients.Slice((long)final.MlpReaders * items * d, readQueries, items, d);
        }

        // Of all queries, keys and values; of the last layer's keys and values.
        public Tensor[] AttentionInputs { get; }

        public Tensor[] HeadDifferences { get; }

        public Tensor?[] MlpDifference { get; }

        public Tensor?[] MlpDifferenceGradient { get; }

        // Behind an MLP's gradient; without an MLP the attention's start at 0.
        public Tensor AttentionGradients { get; }

        // Of the last layer.
        public Tensor QueryInputs { get; }

        public Tensor QueryGradients { get; }
    }
}
