using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Tests.Model;

/// <summary>A masked pass over all prompts of an odd model as one batch.</summary>
internal sealed class MaskedBench : IDisposable
{
    private readonly RunContext _context;
    private readonly OutputHead _head;
    private readonly MaskedBatches _batches;
    private readonly DeviceArray<double> _scores;
    private readonly Metric _metric;

    public MaskedBench(
        OddModel model, IReadOnlyList<PromptPair> pairs, bool[]? candidates, Ablation ablation, Metric metric, bool wholePrompts = false)
    {
        Gpt2Weights weights = model.Weights;
        int[][] items = [[.. Enumerable.Range(0, pairs.Count)]];
        PromptSpan[] spans = PairSpans.Of(pairs, sharePrefixes: ablation == Ablation.Patching && !wholePrompts);
        _metric = metric;
        _context = new RunContext(weights, pairs, spans, new BatchPlan(items, pairs.Count), ablation);
        Plan = new MaskedPlan(_context.Graph, candidates, ablation != Ablation.Patching);
        _head = new OutputHead(weights, metric, pairs.Count, pairs.Count);
        Pass = new MaskedPass(weights, Plan, PassCapacity.For(_context.Largest, 1, true), _head);
        _batches = new MaskedBatches(_context, Plan, Pass.Biases, keep: true);
        Batch = _batches.Get(0);
        if (metric == BuiltInMetrics.KlDivergence) _head.UseReference(Batch.Reference, pairs.Count);
        else _head.SetItems(pairs);
        _scores = weights.Device.AllocateArray<double>((long)Plan.Slots * Plan.Columns);
        Mask = weights.Device.Allocate(Plan.Slots, Plan.Columns);
    }

    public ComputationGraph Graph => Plan.Graph;

    public MaskedPlan Plan { get; }

    public MaskedPass Pass { get; }

    public MaskedBatch Batch { get; }

    public Tensor Mask { get; }

    public DeviceArray<double> Scores => _scores;

    /// <summary>The loss's metric per prompt, on the device.</summary>
    public DeviceArray<double> Values => _head.DeviceValues;

    /// <summary>Loss per prompt under masks [F, K].</summary>
    public double[] Loss(double[] masks)
    {
        var compact = new float[Plan.Slots * Plan.Columns];
        foreach ((int row, int column) in Plan.Edges) compact[Plan.CellOf(row, column)] = (float)masks[(row * Graph.Readers) + column];
        Mask.Upload(compact);
        Pass.Forward(Batch, Mask);
        return [.. _head.Values.Select(v => _metric.LossSign * v)];
    }

    /// <summary>Derivatives of the summed loss by every mask, [F, K]; 0 where nothing is computed.</summary>
    public double[] Gradient()
    {
        _scores.Upload(new double[_scores.Length]);
        Pass.Backward(Batch, Mask, _scores);
        double[] compact = _scores.ToArray();
        var wide = new double[Graph.Writers * Graph.Readers];
        foreach ((int row, int column) in Plan.Edges) wide[(row * Graph.Readers) + column] = compact[Plan.CellOf(row, column)];
        return wide;
    }

    public void Dispose()
    {
        _scores.Dispose();
        Mask.Dispose();
        _batches.Dispose();
        Pass.Dispose();
        _head.Dispose();
        _context.Dispose();
    }
}
