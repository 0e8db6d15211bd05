using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// EAP-IG (activations): for each site (the input; all heads of a layer; an MLP) and i = 1..m the site's output is
/// (i/m) clean + (1 - i/m) corrupted on the clean prompt; gradients at all readers are averaged over all m (2L + 1) runs.
/// </summary>
/// <remarks>
/// A run differs from the clean one only behind its site, so it starts there, its m points as one pass. In front of the site all runs
/// share the clean run's activations, and a backward pass is linear in its gradient: the gradients that arrive at a site from all sites
/// behind it are added up and travel on together, once.
/// </remarks>
internal sealed class ActivationInterpolation : BatchScorer
{
    private readonly int _steps;
    private readonly ItemMetrics _metrics;
    private readonly DeviceArray<double> _sums;
    private readonly PairRun _pair;
    private readonly Activations _points;
    private readonly BackwardPass _backward;
    private readonly BackwardPass _upstream;
    private readonly ReaderGradients _readers;
    private readonly ReaderGradients _upstreamReaders;
    private readonly OutputHead _head;
    private readonly Tensor _embeddings;
    private readonly WriterOutputs _cleanWriters;
    private readonly WriterOutputs _target;
    private readonly WriterOutputs _difference;
    private readonly WriterDifferences _delta;
    private readonly AblationTargets _ablation;
    private readonly Tensor _mixed;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="context">The run.</param>
    /// <param name="settings">Method and settings.</param>
    public ActivationInterpolation(RunContext context, ScoringSettings settings)
        : base(context)
    {
        _steps = settings.Steps;
        _metrics = new ItemMetrics(context.Pairs.Count);
        PromptSpan[] spans = context.Largest;
        Device device = context.Device;
        var one = PassCapacity.For(spans, 1, false);
        var two = PassCapacity.For(spans, 2, false);
        var all = PassCapacity.For(spans, _steps, false);
        _sums = Own(device.AllocateZeroArray<double>((long)context.Graph.Writers * context.Graph.Readers));
        ReaderConstants constants = Own(new ReaderConstants(context.Weights));
        _points = Own(new Activations(context.Config, device, all, keepWriters: false));
        _backward = Own(new BackwardPass(context.Weights, all, 1));
        _upstream = Own(new BackwardPass(context.Weights, one, 1));
        _readers = Own(new ReaderGradients(context.Weights, constants, one, _steps, false, reachesAll: false));
        _upstreamReaders = Own(new ReaderGradients(context.Weights, constants, one, 1, false, reachesAll: false));
        _head = Own(new OutputHead(context.Weights, settings.Metric, spans.Length, Math.Max(two.Sequences, all.Sequences)));
        _pair = Own(new PairRun(context, spans, false, _head));
        _points.Prefix = _pair.Prefix;
        _embeddings = Own(device.Allocate(all.Rows, context.Config.Width));
        _cleanWriters = Own(new WriterOutputs(context.Config, device, one));
        _target = Own(new WriterOutputs(context.Config, device, one));
        _difference = Own(new WriterOutputs(context.Config, device, one));
        _delta = Own(new WriterDifferences(context.Weights, one, false));
        _ablation = Own(new AblationTargets(context, false));
        _mixed = Own(device.Allocate(one.Rows, context.Config.Width));
    }

    /// <inheritdoc />
    public override ScoreSums Finish()
    {
        double[] edges = _sums.ToArray();
        return new ScoreSums(edges, ScoreSums.NodesOf(Context.Graph, edges), _metrics);
    }

    /// <inheritdoc />
    protected override void ScoreBatch(WeightedBatch batch)
    {
        PassShape both = Context.Shapes.Get(batch.Spans, 2, false);
        PassShape one = Context.Shapes.Get(batch.Spans, 1, false);
        PassShape all = Context.Shapes.Get(batch.Spans, _steps, false);
        RunBoth(batch, both, one);
        int sublayers = 2 * Context.Config.Layers;
        long boundary = (long)one.Rows * Context.Config.Width;
        Context.Device.Fill(_upstream.Residual, 0, boundary);
        _upstreamReaders.Reset();
        for (int site = sublayers - 1; site >= -1; site--)
        {
            if (site >= 0) _upstream.Run(one, _pair.Activations, 1, _upstreamReaders, 1, from: site + 1, downTo: site);
            RunSite(site, one, all);
            if (site >= 0)
            {
                for (int i = 0; i < _steps; i++)
                {
                    using Tensor copy = _backward.Residual.Slice(i * boundary, one.Rows, Context.Config.Width);
                    Context.Device.Combine(1, copy, 1, _upstream.Residual, boundary, _upstream.Residual);
                }
            }
            Advance("sites", (double)(sublayers - site) / (sublayers + 2));
        }
        _upstreamReaders.Advance(1);
        _upstreamReaders.Contract(one, _delta, _sums);
    }

    private void RunBoth(WeightedBatch batch, PassShape both, PassShape one)
    {
        _metrics.Note(batch, _pair.Run(batch, both));
        _pair.TakeWriters(both, 0, _cleanWriters);
        _pair.TakeWriters(both, 1, _target);
        _ablation.Target(one, _target, _target);
        _difference.Combine(one, 1, _target, -1, _cleanWriters);
        _difference.Weight(one, batch.RowWeights, batch.ItemWeights);
        _delta.Spread(one, _difference);
    }

    // The m points of one site: forward from the site, backward down to it, and the scores of the readers in between.
    private void RunSite(int site, PassShape one, PassShape all)
    {
        int layer = Math.Max(0, site) / 2;
        _readers.Reset();
        if (site < 0)
        {
            Mix(_cleanWriters.Input, _target.Input, _embeddings, one);
            Context.Forward.Embed(all, _points, _embeddings);
        }
        else
        {
            long boundary = (long)one.Rows * Context.Config.Width;
            for (int i = 0; i < _steps; i++)
            {
                Context.Device.CopyBlock(
                    _pair.Activations.Boundaries[site].Residual, 0, _points.Boundaries[site].Residual, i * boundary, boundary);
            }
            if (site % 2 == 0)
            {
                Mix(_cleanWriters.Z[layer], _target.Z[layer], _points.Z[layer], one);
                Context.Forward.AddHeads(all, _points, layer);
            }
            else
            {
                Mix(_cleanWriters.Mlp[layer], _target.Mlp[layer], _points.MlpOutput[layer], one);
                Context.Forward.AddMlp(all, _points, layer);
            }
        }
        Context.Forward.Run(all, _points, from: site + 1);
        _head.Evaluate(all, _points, -1);
        _head.LossGradient(all, _backward, _readers, _steps);
        _backward.Run(all, _points, 1, _readers, _steps, downTo: site + 1);
        _readers.Advance(_steps);
        _readers.Contract(one, _delta, _sums, firstLayer: (site + 1) / 2);
    }

    private void Mix(Tensor clean, Tensor target, Tensor copies, PassShape one)
    {
        long length = (long)one.Rows * Context.Config.Width;
        for (int i = 1; i <= _steps; i++)
        {
            float share = (float)i / _steps;
            Context.Device.Combine(share, clean, 1 - share, target, length, _mixed);
            Context.Device.CopyBlock(_mixed, 0, copies, (i - 1) * length, length);
        }
    }
}
