using System.Numerics.Tensors;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;
using Tensor = Gradpath.Kernels.Tensor;

namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>Makes the attribution graph of a prompt: runs the model, finds the active features, and freezes the rest.</summary>
internal sealed class AttributionGraphBuilder
{
    // How often the most influential features are looked for again: after so many passes.
    private const int Passes = 4;
    private const int MostTargets = 128;

    private readonly Gpt2Weights _weights;
    private readonly Device _device;
    private readonly TranscoderSet _transcoders;
    private readonly TranscoderGraphOptions _options;
    private readonly IProgress<RunProgress>? _progress;
    private readonly CancellationToken _cancellation;
    private readonly int _d;
    private readonly List<LayerFit> _fits = [];
    private readonly List<LayerParts> _parts = [];

    private AttributionGraphBuilder(
        Gpt2Weights weights, TranscoderSet transcoders, TranscoderGraphOptions options, IProgress<RunProgress>? progress,
        CancellationToken cancellation)
    {
        (_weights, _device, _transcoders, _options) = (weights, weights.Device, transcoders, options);
        (_progress, _cancellation, _d) = (progress, cancellation, weights.Config.Width);
    }

    /// <summary>Makes a graph.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="transcoders">The transcoders.</param>
    /// <param name="tokens">The prompt.</param>
    /// <param name="options">Limits.</param>
    /// <param name="progress">Told how far the work is; may be null.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>The graph.</returns>
    /// <exception cref="GradpathException">The prompt is too long, a transcoder cannot be read, or memory does not suffice.</exception>
    /// <exception cref="OperationCanceledException">The work was stopped.</exception>
    public static AttributionGraph Build(
        Gpt2Weights weights, TranscoderSet transcoders, int[] tokens, TranscoderGraphOptions options,
        IProgress<RunProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (tokens.Length == 0) throw new GradpathException("the prompt has no tokens");
        if (tokens.Length > weights.Config.Positions)
        {
            throw new GradpathException(
                $"the prompt has {tokens.Length} tokens, but the model takes at most {weights.Config.Positions}: shorten it");
        }
        using RunLease lease = weights.Device.EnterRun();
        using var stop = weights.Device.StopOn(cancellation);
        return new AttributionGraphBuilder(weights, transcoders, options, progress, cancellation).Build(tokens);
    }

    private AttributionGraph Build(int[] tokens)
    {
        using TracedPrompt prompt = new(_weights, [tokens]);
        float[] logits = prompt.Logits();
        if (TensorPrimitives.IndexOfMaxMagnitude<float>(logits) is var at && !float.IsFinite(logits[at])) throw Overflow.Of("a logit");
        int layers = _weights.Config.Layers;
        for (int l = 0; l < layers; l++)
        {
            _progress?.Report(new RunProgress(l, layers, $"features of layer {l}"));
            Encode(prompt, l);
        }
        ActiveFeature[] features = Candidates();
        GraphSources sources = new(layers, tokens.Length, features);
        float[] written = Write(sources, out List<float[]> encoders);
        using Tensor vectors = _device.StoreTensor(written, sources.Slots.Length, _d);
        sources.Vectors = vectors;
        List<GraphLogit> top = Top(logits);
        long each = FrozenModel.BytesPerTarget(tokens.Length, _d, sources.Count);
        int batch = (int)Math.Clamp(_device.WorkspaceBudget / 4 / each, 1, MostTargets);
        using FrozenModel frozen = new(_weights, prompt, _transcoders, sources, batch);
        List<GraphRow> rows = [];
        Run(frozen, sources, [.. LogitTargets(prompt, top)], [.. Enumerable.Range(0, top.Count).Select(i => -1 - i)], rows);
        FeatureRows(frozen, prompt, sources, encoders, top, rows);
        sources.Vectors = null;
        return new AttributionGraph(sources, tokens, top, rows, _fits)
        {
            Vectors = _options.KeepsVectors ? written : null,
        };
    }

    // The active features of a layer, with their weights and what they write.
    private void Encode(TracedPrompt prompt, int layer)
    {
        int rows = prompt.Rows;
        float[] output = Download(prompt.Activations.MlpOutput[layer], rows * _d);
        if (_transcoders.Layers[layer] is not { } transcoder)
        {
            _parts.Add(new LayerParts([], [], [], output));
            _fits.Add(new LayerFit(layer, 0, 0, 0, 1));
            return;
        }
        Tensor input = prompt.Read(layer, transcoder.Spec.Input);
        List<ActiveFeature> active = transcoder.Encode(_device, input, rows, _cancellation);
        int[] features = [.. active.Select(f => f.Feature).Distinct().Order()];
        Dictionary<int, int> places = features.Select((f, i) => (f, i)).ToDictionary(p => p.f, p => p.i);
        float[] encoder = transcoder.EncoderRows(features), decoder = transcoder.DecoderRows(features);
        float[] read = transcoder.Skip is null ? [] : Download(input, rows * _d);
        for (int r = 0; r < rows; r++)
        {
            Span<float> rest = output.AsSpan(r * _d, _d);
            TensorPrimitives.Subtract(rest, transcoder.DecoderBias, rest);
            if (transcoder.Skip is not { } skip) continue;
            for (int o = 0; o < _d; o++) rest[o] -= TensorPrimitives.Dot(skip.AsSpan(o * _d, _d), read.AsSpan(r * _d, _d));
        }
        LayerParts parts = new(active, encoder, decoder, output) { Places = places };
        _parts.Add(parts);
        _fits.Add(new LayerFit(
            layer, transcoder.Features, active.Count, active.Count / (double)rows, Unexplained(parts, prompt, layer, rows)));
    }

    private double Unexplained(LayerParts parts, TracedPrompt prompt, int layer, int rows)
    {
        float[] rest = [.. parts.Rest];
        foreach (ActiveFeature f in parts.Active)
        {
            Span<float> row = rest.AsSpan(f.Position * _d, _d);
            TensorPrimitives.MultiplyAdd(parts.DecoderOf(f.Feature, _d), -f.Activation, row, row);
        }
        float[] output = Download(prompt.Activations.MlpOutput[layer], rows * _d);
        double[] mean = new double[_d];
        for (int i = 0; i < output.Length; i++) mean[i % _d] += output[i] / (double)rows;
        double error = 0, variance = 0;
        for (int i = 0; i < output.Length; i++)
        {
            error += rest[i] * (double)rest[i];
            variance += (output[i] - mean[i % _d]) * (output[i] - mean[i % _d]);
        }
        return variance > 0 ? error / variance : double.NaN;
    }

    // Where there are too many, those that write most.
    private ActiveFeature[] Candidates()
    {
        ActiveFeature[] all = [.. _parts.SelectMany(p => p.Active)];
        if (all.Length <= _options.MaxCandidates) return all;
        double[] written = [.. all.Select(f => -Math.Abs(f.Activation) * Math.Sqrt(
            TensorPrimitives.SumOfSquares(_parts[f.Layer].DecoderOf(f.Feature, _d))))];
        int[] order = [.. Enumerable.Range(0, all.Length)];
        Array.Sort(written, order);
        int[] kept = order[.._options.MaxCandidates];
        Array.Sort(kept);
        return [.. kept.Select(i => all[i])];
    }

    // What every slot writes; with the encoder row of every feature.
    private float[] Write(GraphSources sources, out List<float[]> encoders)
    {
        float[] vectors = new float[checked(sources.Slots.Length * _d)];
        encoders = new(sources.Slots.Length);
        for (int s = 0; s < sources.Slots.Length; s++)
        {
            ActiveFeature f = sources.Slots[s];
            LayerParts parts = _parts[f.Layer];
            Span<float> vector = vectors.AsSpan(s * _d, _d), rest = parts.Rest.AsSpan(f.Position * _d, _d);
            if (f.Feature < 0)
            {
                // The error's slot is the last of its position: all features of it have been taken off.
                rest.CopyTo(vector);
                encoders.Add([]);
                continue;
            }
            TensorPrimitives.Multiply(parts.DecoderOf(f.Feature, _d), f.Activation, vector);
            TensorPrimitives.Subtract(rest, vector, rest);
            encoders.Add(parts.EncoderOf(f.Feature, _d).ToArray());
        }
        return vectors;
    }

    private List<GraphLogit> Top(float[] logits)
    {
        double largest = TensorPrimitives.Max<float>(logits), sum = 0;
        foreach (float logit in logits) sum += Math.Exp(logit - largest);
        List<GraphLogit> top = [];
        double so = 0;
        foreach (int token in Enumerable.Range(0, logits.Length).OrderByDescending(t => logits[t]).Take(_options.MaxLogits))
        {
            top.Add(new GraphLogit(token, Math.Exp(logits[token] - largest) / sum));
            if ((so += top[^1].Probability) >= _options.LogitProbability) break;
        }
        return top;
    }

    // A logit against the mean of all logits, which no softmax sees.
    private List<FrozenTarget> LogitTargets(TracedPrompt prompt, List<GraphLogit> logits)
    {
        (int rows, int vocabulary, int layers) = (prompt.Rows, _weights.Config.Vocabulary, _weights.Config.Layers);
        using Tensor ones = _device.Allocate(1, vocabulary);
        using Tensor mean = _device.Allocate(1, _d);
        _device.Fill(ones, 1f / vocabulary, vocabulary);
        _device.Gemm(ones.AsMatrix(), _weights.Unembedding.AsMatrix(), mean.AsMatrix());
        float[] means = mean.ToArray(), gain = _weights.FinalGain.ToArray();
        float[] residual = Download(prompt.Activations.Boundaries[^1].Residual, rows * _d)[((rows - 1) * _d)..];
        using DeviceArray<int> ids = _device.Store<int>([.. logits.Select(l => l.Token)]);
        using Tensor picked = _device.Allocate(logits.Count, _d);
        _device.GatherRows(_weights.Unembedding, ids, logits.Count, _d, picked);
        float[] directions = picked.ToArray();
        double average = residual.Sum(x => (double)x) / _d, square = residual.Sum(x => (x - average) * (x - average)) / _d;
        float rstd = (float)(1 / Math.Sqrt(square + _weights.Config.Epsilon));
        List<FrozenTarget> targets = [];
        for (int i = 0; i < logits.Count; i++)
        {
            Span<float> direction = directions.AsSpan(i * _d, _d);
            TensorPrimitives.Subtract(direction, means, direction);
            targets.Add(new FrozenTarget(layers, rows - 1, FrozenModel.ThroughNorm(direction, gain, rstd)));
        }
        return targets;
    }

    private void FeatureRows(
        FrozenModel frozen, TracedPrompt prompt, GraphSources sources, List<float[]> encoders, List<GraphLogit> logits, List<GraphRow> rows)
    {
        int[] features = [.. Enumerable.Range(0, sources.Slots.Length).Where(s => sources.Slots[s].Feature >= 0)];
        int most = Math.Min(features.Length, _options.MaxFeatures);
        bool all = most == features.Length;
        HashSet<int> done = [];
        float[][] gains = [.. _weights.Layers.Select(l => l.MlpGain.ToArray())];
        float[][] scales = [.. Enumerable.Range(0, sources.Layers).Select(l =>
            Download(prompt.Activations.Boundaries[(2 * l) + 1].Rstd, prompt.Rows))];
        while (done.Count < most)
        {
            int[] queue = features;
            if (!all)
            {
                double[] influence = GraphInfluence.Of(sources, logits, rows, _ => true);
                queue = [.. features.Where(s => !done.Contains(s)).OrderByDescending(s => influence[s])
                    .Take(Math.Min(most - done.Count, Passes * frozen.Batch)).Order()];
            }
            foreach (IGrouping<int, int> layer in queue.GroupBy(s => sources.Slots[s].Layer))
            {
                foreach (int[] slots in layer.Chunk(frozen.Batch))
                {
                    _cancellation.ThrowIfCancellationRequested();
                    _progress?.Report(new RunProgress(done.Count, most, "edges"));
                    Run(frozen, sources, [.. slots.Select(Target)], slots, rows);
                    done.UnionWith(slots);
                }
            }
        }

        FrozenTarget Target(int slot)
        {
            ActiveFeature f = sources.Slots[slot];
            TranscoderInput input = _transcoders.Layers[f.Layer]!.Spec.Input;
            float[] direction = input == TranscoderInput.Residual ? encoders[slot] : FrozenModel.ThroughNorm(
                encoders[slot], input == TranscoderInput.Mlp ? gains[f.Layer] : [], scales[f.Layer][f.Position]);
            return new FrozenTarget(f.Layer, f.Position, direction);
        }
    }

    private static void Run(FrozenModel frozen, GraphSources sources, FrozenTarget[] targets, int[] slots, List<GraphRow> rows)
    {
        float[] effects = new float[targets.Length * sources.Count];
        for (int first = 0; first < targets.Length; first += frozen.Batch)
        {
            FrozenTarget[] part = targets[first..Math.Min(targets.Length, first + frozen.Batch)];
            frozen.Effects(part, effects);
            int below = sources.Start(part[0].Layer);
            for (int t = 0; t < part.Length; t++)
            {
                Span<float> row = effects.AsSpan(t * sources.Count, sources.Count);
                rows.Add(new GraphRow(slots[first + t], row[..below].ToArray(), row[sources.Slots.Length..].ToArray()));
            }
        }
    }

    private static float[] Download(Tensor tensor, int length)
    {
        using Tensor part = tensor.Slice(0, length);
        return part.ToArray();
    }

    // A layer's active features, the rows of both matrices that belong to them, and what of the MLP's output no source has taken yet.
    private sealed record LayerParts(List<ActiveFeature> Active, float[] Encoder, float[] Decoder, float[] Rest)
    {
        public Dictionary<int, int> Places { get; init; } = [];

        public ReadOnlySpan<float> EncoderOf(int feature, int width) => Encoder.AsSpan(Places[feature] * width, width);

        public ReadOnlySpan<float> DecoderOf(int feature, int width) => Decoder.AsSpan(Places[feature] * width, width);
    }
}
