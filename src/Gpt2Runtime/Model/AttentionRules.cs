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
    private readonly Tensor _keyValueFactors;
    private readonly Tensor? _warmFactors;
    private readonly Tensor? _warmKeyValueFactors;
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

        // A row of queries, keys and values is three rows of width D: with a temperature the first two come from a pass of its own.
        float direct = warm ? 0 : rules.QueryKeyFactor;
        _factors = Own(_device.StoreTensor([direct, direct, rules.ValueFactor], 3));
        _keyValueFactors = _factors.Slice(1, 2);
        if (!warm) return;
        _warmFactors = Own(_device.StoreTensor([rules.QueryKeyFactor, rules.QueryKeyFactor, 0], 3));
        _warmKeyValueFactors = _warmFactors.Slice(1, 2);
        long perHead = Math.Max(capacity.ProbabilitiesPerHead, capacity.FinalProbabilitiesPerHead);
        _probabilities = Own(_device.Allocate(checked((int)(weights.Config.Heads * perHead))));
        _mixed = Own(_device.Allocate(capacity.Rows, _d));
        _gradients = Own(_device.Allocate(capacity.Rows * cotangents, 3 * _d));
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
    /// <param name="dqkv">[rows, 3 D] where the derivatives at queries, keys and values lie side by side, else null.</param>
    /// <param name="dq">In: the derivatives at the queries.</param>
    /// <param name="dkv">In: the derivatives at keys and values.</param>
    public void Apply(
        Activations a, int layer, HeadGroup heads, SequenceLayout layout, int cotangents, Tensor dz, Tensor? dqkv, Tensor dq, Tensor dkv)
    {
        int rows = layout.KeyRows * cotangents;
        if (dqkv is not null)
        {
            _device.ScaleRows(dqkv, _factors, 3, 3 * rows, _d, dqkv);
            if (_gradients is null) return;
            Warm(Activations.QueriesOf(_gradients, _d), Activations.KeysValuesOf(_gradients, _d));
            _device.ScaleRows(_gradients, _warmFactors!, 3, 3 * rows, _d, _gradients);
            _device.Combine(1, dqkv, 1, _gradients, 3L * rows * _d, dqkv);
            return;
        }
        _device.ScaleRows(dkv, _keyValueFactors, 2, 2 * rows, _d, dkv);
        if (_gradients is not null)
        {
            Warm(dq, _gradients);
            _device.ScaleRows(_gradients, _warmKeyValueFactors!, 2, 2 * rows, _d, _gradients);
            _device.Combine(1, dkv, 1, _gradients, 2L * rows * _d, dkv);
        }
        _device.Combine(_rules.QueryKeyFactor, dq, 0, dq, (long)layout.QueryRows * cotangents * _d, dq);

        // The derivatives at queries and keys as a softmax of that temperature has them.
        void Warm(Tensor warmDq, Tensor warmDkv)
        {
            HeadGroup warm = heads with { Scale = heads.Scale / _rules.SoftmaxTemperature };
            Tensor? prefix = a.Prefix?.Of(layer);
            _device.Attention(a.Q[layer], a.Kv[layer], layout, warm, _probabilities!, _mixed!, prefix);
            _device.AttentionBackward(
                dz, a.Q[layer], a.Kv[layer], _probabilities!, layout, heads, cotangents, warmDq, warmDkv, prefix);
        }
    }
}
