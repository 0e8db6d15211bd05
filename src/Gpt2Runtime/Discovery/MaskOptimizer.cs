using Gradpath.Gpt2Runtime.Model;
using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// The masks' parameters on the device, their samples and their optimiser, with the two constraints on their sparsity.
/// </summary>
internal sealed class MaskOptimizer : ResourceOwner
{
    private const double Beta1 = 0.9;
    private const double Beta2 = 0.999;
    private const double Epsilon = 1e-8;
    private const double InitialSpread = 0.01;

    private readonly Device _device;
    private readonly EdgePruningOptions _options;
    private readonly int _edgesOfGraph;
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
    private readonly DeviceArray<double> _sum;
    private readonly double[] _noScores;
    private readonly double[] _hostSum = new double[1];
    private readonly Multiplier[] _multipliers = [new(), new(), new(), new()];

    /// <summary>Allocates and draws the initial parameters from N(mean, 0.01^2).</summary>
    /// <param name="device">The device.</param>
    /// <param name="plan">The edges that have masks.</param>
    /// <param name="options">Resolved options.</param>
    /// <param name="means">Where the parameters start, see <see cref="MaskStart.Means"/>.</param>
    public MaskOptimizer(Device device, MaskedPlan plan, EdgePruningOptions options, double[] means)
    {
        _device = device;
        _options = options;
        _edgesOfGraph = plan.Graph.EdgeCount;
        int gates = options.NodeMasks ? plan.Slots : 0;
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
        _sum = Own(device.AllocateArray<double>(1));
        _noScores = new double[_scores.Length];
        Mask = Own(device.AllocateZeros(plan.Slots, plan.Columns));
    }

    /// <summary>[slots, columns]: the masks of the step.</summary>
    public Tensor Mask { get; }

    /// <summary>[slots, columns] float64: where a backward pass adds the masks' derivatives.</summary>
    public DeviceArray<double> Scores => _scores;

    /// <summary>Parameters, moments and multipliers, for saving.</summary>
    public (float[] LogAlpha, float[] First, float[] Second, double[] Multipliers) State
    {
        get => (_logAlpha.ToArray(), _first.ToArray(), _second.ToArray(), [.. _multipliers.SelectMany(m => m.State)]);
        set
        {
            _logAlpha.Upload(value.LogAlpha);
            _first.Upload(value.First);
            _second.Upload(value.Second);
            for (int i = 0; i < _multipliers.Length; i++) _multipliers[i].State = value.Multipliers[(3 * i)..((3 * i) + 3)];
        }
    }

    /// <summary>Draws the masks of a step and clears the derivatives.</summary>
    /// <param name="step">The step, from 0.</param>
    public void Sample(int step)
    {
        _device.SampleHardConcrete(_logAlpha, _layout.Parameters, _options.Seed!.Value, (uint)step, _z, _slope);
        _device.PlaceMasks(_z, _layout, Mask);
        _scores.Upload(_noScores);
    }

    /// <summary>Moves parameters and multipliers by the derivatives that a backward pass has left.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <param name="kl">Its mean KL.</param>
    /// <param name="items">Prompts of the step.</param>
    /// <returns>The step as logged.</returns>
    public EdgePruningStep Update(int step, double kl, int items)
    {
        double edgeTarget = _options.TargetAt(step, _options.Target!.Value, _options.StartSparsity);
        double edgeSparsity = 1 - (Dot(_z, _ones, _layout.Edges) / _edgesOfGraph);
        double edgeGap = edgeSparsity - edgeTarget;
        double nodeSparsity = _layout.Gates == 0 ? 0 : 1 - (Dot(_gateZ, _ones, _layout.Gates) / _layout.Gates);
        double nodeTarget = _options.NodeTarget is { } target ? _options.TargetAt(step, target, _options.NodeStartSparsity) : 0;
        double nodeGap = _options.NodeTarget is null ? 0 : nodeSparsity - nodeTarget;
        double edgePull = -Slope(0, edgeGap) / _edgesOfGraph;
        double gatePull = _layout.Gates == 0 ? 0 : -Slope(2, nodeGap) / _layout.Gates;
        _device.MaskGradients(_scores, _layout, _z, _slope, 1.0 / items, edgePull, gatePull, _gradient);

        // The multipliers' own gradients count for the norm, as all parameters are one group there.
        ReadOnlySpan<double> ascents = [edgeGap, edgeGap * edgeGap, nodeGap, nodeGap * nodeGap];
        double squares = Dot(_gradient, _gradient, _layout.Parameters);
        foreach (double ascent in ascents) squares += ascent * ascent;
        double norm = Math.Sqrt(squares);
        if (!double.IsFinite(norm) || !double.IsFinite(kl))
            throw GradpathException.Worded(
                $"step {step + 1}: the loss or its gradient is not a number; check {Terms.Checkpoint}, or lower {Terms.LearningRate}");
        double scale = Math.Min(1, _options.MaxGradientNorm / (norm + 1e-6));
        double rate = _options.RateAt(step);
        var logged = new EdgePruningStep(
            step + 1, kl, Penalty(0, edgeGap), Penalty(2, nodeGap), edgeTarget, edgeSparsity, nodeTarget, nodeSparsity);
        _device.AdamWStep(_logAlpha, _gradient, _first, _second, _layout.Parameters, Constants(rate * _options.LearningRate));
        for (int i = 0; i < (_options.NodeTarget is null ? 2 : 4); i++)
            _multipliers[i].Ascend(ascents[i], Constants(rate * _options.MultiplierRate!.Value));
        return logged;

        AdamWStepOptions Constants(double learningRate) =>
            new(learningRate, _options.WeightDecay!.Value, Beta1, Beta2, Epsilon, step + 1, scale);
    }

    // lambda_1 gap + lambda_2 gap^2 and its derivative by the gap; the multipliers of a constraint lie side by side.
    private double Penalty(int first, double gap) => (_multipliers[first].Value * gap) + (_multipliers[first + 1].Value * gap * gap);

    private double Slope(int first, double gap) => _multipliers[first].Value + (2 * _multipliers[first + 1].Value * gap);

    private double Dot(Tensor x, Tensor y, int count)
    {
        _device.RowDots(x, y, 1, 1, count, _sum);
        _sum.Download(_hostSum);
        return _hostSum[0];
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
