using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>What <see cref="BackwardRules"/> change about attention, made from plain backward passes of it and factors.</summary>
internal sealed class AttentionRules : ResourceOwner
{
    private readonly BackwardRules _rules;
    private readonly Device _device;
    private readonly int _d;
    private readonly Tensor _factors;
    private readonly Tensor? _keyFactors;
    private readonly Tensor? _probabilities;
    private readonly Tensor? _mixed;
    private readonly Tensor? _gradients;

    /// <summary>Allocates for the largest pass.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="rules">The rules.</param>
    /// <param name="capacity">The largest forward pass.</param>
    /// <param name="cotangents">Gradients per forward pass.</param>
    public AttentionRules(Gpt2Weights weights, BackwardRules rules, PassCapacity capacity, int cotangents)
    {
        (_rules, _device, _d) = (rules, weights.Device, weights.Config.Width);
        bool warm = rules.SoftmaxTemperature != 1;

        // A row of keys and values is two rows of width D: with a temperature the keys' come from a pass of its own.
        _factors = Own(_device.StoreTensor([warm ? 0 : rules.QueryKeyFactor, rules.ValueFactor], 2));
        if (!warm) return;
        _keyFactors = Own(_device.StoreTensor([rules.QueryKeyFactor, 0], 2));
        long perHead = Math.Max(capacity.ProbabilitiesPerHead, capacity.FinalProbabilitiesPerHead);
        _probabilities = Own(_device.Allocate(checked((int)(weights.Config.Heads * perHead))));
        _mixed = Own(_device.Allocate(capacity.Rows, _d));
        _gradients = Own(_device.Allocate(capacity.Rows * cotangents, 2 * _d));
    }

    /// <summary>Whether rules change attention at all.</summary>
    /// <param name="rules">The rules.</param>
    /// <returns>False where its gradients are the derivatives.</returns>
    public static bool Change(BackwardRules rules) => rules is not { SoftmaxTemperature: 1, QueryKeyFactor: 1, ValueFactor: 1 };

    /// <summary>Turns the derivatives that a layer's attention has left into what the rules say.</summary>
    /// <param name="a">The activations of the forward pass.</param>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="heads">Its heads.</param>
    /// <param name="layout">Its sequences.</param>
    /// <param name="cotangents">Gradients per forward pass.</param>
    /// <param name="dz">The gradients at the heads' mixed values.</param>
    /// <param name="dq">In: the derivatives at the queries.</param>
    /// <param name="dkv">In: the derivatives at keys and values.</param>
    public void Apply(
        Activations a, int layer, HeadGroup heads, SequenceLayout layout, int cotangents, Tensor dz, Tensor dq, Tensor dkv)
    {
        int rows = 2 * layout.KeyRows * cotangents;
        _device.ScaleRows(dkv, _factors, 2, rows, _d, dkv);
        if (_gradients is not null)
        {
            HeadGroup warm = heads with { Scale = heads.Scale / _rules.SoftmaxTemperature };
            Tensor? prefix = a.Prefix?.Of(layer);
            _device.Attention(a.Q[layer], a.Kv[layer], layout, warm, _probabilities!, _mixed!, prefix);
            _device.AttentionBackward(
                dz, a.Q[layer], a.Kv[layer], _probabilities!, layout, heads, cotangents, dq, _gradients, prefix);
            _device.ScaleRows(_gradients, _keyFactors!, 2, rows, _d, _gradients);
            _device.Combine(1, dkv, 1, _gradients, (long)rows * _d, dkv);
        }
        _device.Combine(_rules.QueryKeyFactor, dq, 0, dq, (long)layout.QueryRows * cotangents * _d, dq);
    }
}
