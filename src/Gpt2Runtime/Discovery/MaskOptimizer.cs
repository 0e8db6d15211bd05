using Gradpath.Gpt2Runtime.Model;
using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;
using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// The masks' parameters on the device, their samples and their optimiser, with the two constraints on their sparsity. What changes from
/// step to step goes to the device in one copy (<see cref="Begin"/>) and what is told of a step comes back in one (<see cref="End"/>); the
/// operations between (<see cref="Sample"/>, <see cref="Update"/>) are the same at every step.
/// </summary>
internal sealed class MaskOptimizer : ResourceOwner
{
    private const double Beta1 = 0.9;
    private const double Beta2 = 0.999;
    private const double Epsilon = 1e-8;
    private const int MultiplierNumbers = MaskNumbers - MaskMultipliers;
    private const double InitialSpread = 0.01;

    private readonly Device _device;
    private readonly EdgePruningOptions _options;
    private readonly MaskConstraints _constraints;
    private readonly AdamWOptions _adamW;
    private readonly MaskLayout _layout;
    private readonly Tensor _logAlpha;
    private readonly Tensor _first;
    private readonly Tensor _second;
    private readonly Tensor _z;
    private readonly Tensor _gateZ;
    private readonly Tensor _slope;
    private readonly Tensor _gradient;
    private readonly Tensor _ones;
    private readonly DeviceArray<double> _scores;
    private readonly DeviceArray<double> _numbers;
    private readonly DeviceArray<double> _edgeSum;
    private readonly DeviceArray<double> _gateSum;
    private readonly DeviceArray<double> _squares;
    private readonly DeviceArray<double> _multipliers;
    private readonly double[] _host = new double[MaskNumbers];

    /// <summary>Allocates and draws the initial parameters from N(mean, 0.01^2).</summary>
    /// <param name="device">The device.</param>
    /// <param name="plan">The edges that have masks.</param>
    /// <param name="options">Resolved options.</param>
    /// <param name="means">Where the parameters start, see <see cref="MaskStart.Means"/>.</param>
    public MaskOptimizer(Device device, MaskedPlan plan, EdgePruningOptions options, double[] means)
    {
        _device = device;
        _options = options;
        int gates = options.NodeMasks ? plan.Slots : 0;
        _constraints = new MaskConstraints(plan.Graph.EdgeCount, gates, options.NodeTarget is not null);
        _adamW = new AdamWOptions(options.WeightDecay!.Value, Beta1, Beta2, Epsilon);
        int[] slots = [.. plan.Edges.Select(e => plan.SlotOf(e.Row))];
        int[] starts = [.. Enumerable.Range(0, plan.Slots + 1).Select(slot => slots.Count(s => s < slot))];
        _layout = Own(new MaskLayout(
            plan.Edges.Length,
            device.Store<int>([.. plan.Edges.Select(e => plan.CellOf(e.Row, e.Column))]),
            gates,
            device.Store<int>(slots),
            device.Store<int>(starts),
            checked(plan.Slots * plan.Columns)));
        int count = _layout.Parameters;
        _logAlpha = Own(device.StoreTensor(Initial(means, options.Seed!.Value), count));
        _first = Own(device.AllocateZeros(count));
        _second = Own(device.AllocateZeros(count));
        _z = Own(device.Allocate(count));
        _gateZ = Own(_z.Slice(_layout.Edges, gates));
        _slope = Own(device.Allocate(count));
        _gradient = Own(device.Allocate(count));
        var ones = new float[count];
        Array.Fill(ones, 1);
        _ones = Own(device.StoreTensor(ones, count));
        _scores = Own(device.AllocateArray<double>((long)plan.Slots * plan.Columns));
        _numbers = Own(device.Store<double>(_host));
        _edgeSum = Own(_numbers.Part(MaskEdgeSum, 1));
        _gateSum = Own(_numbers.Part(MaskGateSum, 1));
        _squares = Own(_numbers.Part(MaskSquares, 1));
        _multipliers = Own(_numbers.Part(MaskMultipliers, MultiplierNumbers));
        Mask = Own(device.AllocateZeros(plan.Slots, plan.Columns));
    }

    /// <summary>[slots, columns]: the masks of the step.</summary>
    public Tensor Mask { get; }

    /// <summary>[slots, columns] float64: where a backward pass adds the masks' derivatives.</summary>
    public DeviceArray<double> Scores => _scores;

    /// <summary>Parameters, moments and multipliers, for saving.</summary>
    public (float[] LogAlpha, float[] First, float[] Second, double[] Multipliers) State
    {
        get => (_logAlpha.ToArray(), _first.ToArray(), _second.ToArray(), _multipliers.ToArray());
        set
        {
            _logAlpha.Upload(value.LogAlpha);
            _first.Upload(value.First);
            _second.Upload(value.Second);
            _multipliers.Upload(value.Multipliers);
        }
    }

    /// <summary>Brings a step's numbers to the device.</summary>
    /// <param name="step">The step, from 0.</param>
    public void Begin(int step)
    {
        double rate = _options.RateAt(step);
        _host[MaskStep] = step;
        _host[MaskEdgeTarget] = _options.TargetAt(step, _options.Target!.Value, _options.StartSparsity);
        _host[MaskGateTarget] = _options.NodeTarget is { } target ? _options.TargetAt(step, target, _options.NodeStartSparsity) : 0;
        _host[MaskRate] = rate * _options.LearningRate;
        _host[MaskMultiplierRate] = rate * _options.MultiplierRate!.Value;
        _host[MaskCorrection1] = 1 - Math.Pow(Beta1, step + 1);
        _host[MaskCorrection2] = 1 - Math.Pow(Beta2, step + 1);
        _numbers.Upload(_host.AsSpan(0, MaskScheduled));
    }

    /// <summary>Draws the masks of a step and clears the derivatives.</summary>
    public void Sample()
    {
        _device.SampleHardConcrete(_logAlpha, _layout.Parameters, _options.Seed!.Value, _numbers, _z, _slope);
        _device.PlaceMasks(_z, _layout, Mask);
        _device.ClearScores(_scores, _scores.Length);
    }

    /// <summary>Moves parameters and multipliers by the derivatives that a backward pass has left.</summary>
    /// <param name="kl">[items]: the KL of each prompt.</param>
    /// <param name="items">Prompts of the step.</param>
    public void Update(DeviceArray<double> kl, int items)
    {
        _device.RowDots(_z, _ones, 1, 1, _layout.Edges, _edgeSum);
        if (_layout.Gates > 0) _device.RowDots(_gateZ, _ones, 1, 1, _layout.Gates, _gateSum);
        _device.ConstrainMasks(_constraints, _numbers);
        _device.MaskGradients(_scores, _layout, _z, _slope, 1.0 / items, _numbers, _gradient);
        _device.RowDots(_gradient, _gradient, 1, 1, _layout.Parameters, _squares);

        // The multipliers' own gradients count for the norm, as all parameters are one group there.
        _device.BalanceMasks(_constraints, kl, items, _options.MaxGradientNorm, _adamW, _numbers);
        _device.AdamWStep(_logAlpha, _gradient, _first, _second, _layout.Parameters, _adamW, _numbers);
    }

    /// <summary>Waits for a step.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <returns>The step as logged.</returns>
    /// <exception cref="GradpathException">The loss or its gradient is not a number; the step has changed nothing.</exception>
    public EdgePruningStep End(int step)
    {
        _numbers.Download(_host);
        if (double.IsNaN(_host[MaskScale]))
            throw GradpathException.Worded(
                $"step {step + 1}: the loss or its gradient is not a number; check {Terms.Checkpoint}, or lower {Terms.LearningRate}");
        return new EdgePruningStep(
            step + 1, _host[MaskMean], _host[MaskEdgeLoss], _host[MaskGateLoss], _host[MaskEdgeTarget], _host[MaskEdgeSparsity],
            _host[MaskGateTarget], _host[MaskGateSparsity]);
    }

    // Normal numbers by Box and Muller.
    private static float[] Initial(double[] means, ulong seed)
    {
        var random = new SplitMix64(seed);
        var values = new float[means.Length];
        for (int i = 0; i < values.Length; i++)
        {
            double radius = Math.Sqrt(-2 * Math.Log(Uniform()));
            values[i] = (float)(means[i] + (InitialSpread * radius * Math.Cos(2 * Math.PI * Uniform())));
        }
        return values;

        double Uniform() => ((random.Next() >> 11) + 0.5) * (1.0 / (1L << 53));
    }
}
