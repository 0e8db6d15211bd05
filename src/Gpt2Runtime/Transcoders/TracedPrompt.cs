using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>Token sequences that are run through a model, with all that the layers have computed on the way.</summary>
internal sealed class TracedPrompt : ResourceOwner
{
    private readonly Gpt2Weights _weights;
    private readonly Device _device;
    private readonly ForwardPass _forward;
    private readonly Tensor _mean;
    private readonly Tensor _rstd;
    private readonly Tensor _ones;
    private readonly Tensor _zeros;
    private PassShape? _shape;

    /// <summary>Runs the model on some sequences.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="sequences">The tokens of each sequence.</param>
    public TracedPrompt(Gpt2Weights weights, IReadOnlyList<int[]> sequences)
        : this(weights, sequences.Sum(s => s.Length), sequences.Max(s => s.Length)) => Run(sequences);

    /// <summary>Allocates for sequences that are run later.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="rows">Most positions of all sequences of a run.</param>
    /// <param name="longest">Most positions of a sequence.</param>
    public TracedPrompt(Gpt2Weights weights, int rows, int longest)
    {
        (_weights, _device, _forward) = (weights, weights.Device, new ForwardPass(weights));
        int d = weights.Config.Width;
        long pairs = (long)rows * longest;
        Activations = Own(new Activations(
            weights.Config, _device, new PassCapacity(rows, rows, rows, pairs, pairs, AnswerOnly: false), keepWriters: true));
        _mean = Own(_device.Allocate(rows));
        _rstd = Own(_device.Allocate(rows));
        _ones = Own(_device.Allocate(d));
        _zeros = Own(_device.AllocateZeros(d));
        _device.Fill(_ones, 1, d);
        Input = Own(_device.Allocate(rows, d));
    }

    /// <summary>The rows of the pass.</summary>
    public PassShape Shape => _shape ?? throw new InvalidOperationException("nothing was run");

    /// <summary>What the pass has left.</summary>
    public Activations Activations { get; }

    /// <summary>Number of positions of all sequences.</summary>
    public int Rows => Shape.Rows;

    /// <summary>[rows, D]: what was asked for last.</summary>
    public Tensor Input { get; }

    /// <summary>Runs the model on other sequences.</summary>
    /// <param name="sequences">The tokens of each sequence.</param>
    public void Run(IReadOnlyList<int[]> sequences)
    {
        int[] ids = [.. sequences.SelectMany(s => s)];
        _shape?.Dispose();
        _shape = new PassShape(_device, [.. sequences.Select(s => s.Length)], 1, answerOnly: false);
        using DeviceArray<int> tokens = _device.Store<int>(ids);
        _device.GatherRows(_weights.TokenEmbedding, tokens, ids.Length, _weights.Config.Width, Input);
        _forward.Embed(_shape, Activations, Input);
        _forward.Run(_shape, Activations);
    }

    /// <summary>What a layer's MLP, or a transcoder of it, reads: <see cref="Input"/>.</summary>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="kind">What the transcoder reads.</param>
    /// <returns>[rows, D], until the next call.</returns>
    public Tensor Read(int layer, TranscoderInput kind)
    {
        (Gpt2Config config, Gpt2Layer w) = (_weights.Config, _weights.Layers[layer]);
        Tensor stream = Activations.Boundaries[(2 * layer) + 1].Residual;
        if (kind == TranscoderInput.Residual)
        {
            _device.CopyBlock(stream, 0, Input, 0, (long)Rows * config.Width);
            return Input;
        }
        bool plain = kind == TranscoderInput.Normalized;
        _device.LayerNorm(
            stream, plain ? _ones : w.MlpGain, plain ? _zeros : w.MlpShift, config.Epsilon, Rows, config.Width, _mean, _rstd, Input);
        return Input;
    }

    /// <summary>The logits of the last position of each sequence.</summary>
    /// <returns>[sequences, V].</returns>
    public float[] Logits()
    {
        (int d, int rows) = (_weights.Config.Width, Shape.Sequences);
        using Tensor residual = _device.Allocate(rows, d);
        using Tensor normed = _device.Allocate(rows, d);
        using Tensor logits = _device.Allocate(rows, _weights.Config.Vocabulary);
        _device.GatherRows(Activations.Boundaries[^1].Residual, Shape.AnswerRows, rows, d, residual);
        FinalHead.Normalize(_weights, residual, rows, _mean, _rstd, normed);
        FinalHead.Logits(_weights, normed, rows, logits);
        return logits.ToArray();
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        _shape?.Dispose();
        base.Dispose();
    }
}
