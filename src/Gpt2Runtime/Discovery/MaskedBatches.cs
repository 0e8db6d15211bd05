using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// The batches that masks are trained on. Prompts and runs do not change while masks do, so a batch is made once and kept, as long as
/// there is memory for all of them; else each is made when its turn comes.
/// </summary>
internal sealed class MaskedBatches : ResourceOwner
{
    private readonly RunContext _context;
    private readonly MaskedPlan _plan;
    private readonly MaskedBiases _biases;
    private readonly OutputHead _kl;
    private readonly PairRun _pair;
    private readonly AblationTargets _ablation;
    private readonly WriterOutputs _target;
    private readonly MaskedBatch?[] _made;
    private readonly bool _keep;
    private MaskedBatch? _current;

    /// <summary>Sets up the runs of the unmasked model.</summary>
    /// <param name="context">The run.</param>
    /// <param name="plan">What masked passes compute.</param>
    /// <param name="biases">The masked pass's biases.</param>
    /// <param name="keep">Whether batches stay on the device; else they are made anew each time.</param>
    public MaskedBatches(RunContext context, MaskedPlan plan, MaskedBiases biases, bool keep)
    {
        _context = context;
        _plan = plan;
        _biases = biases;
        _made = new MaskedBatch?[context.Plan.Batches.Count];
        PromptSpan[] largest = context.Largest;
        _kl = Own(new OutputHead(context.Weights, BuiltInMetrics.KlDivergence, largest.Length, 2 * largest.Length));
        _pair = Own(new PairRun(context, largest, true, _kl));
        _ablation = Own(new AblationTargets(context, true));
        _target = Own(new WriterOutputs(context.Config, context.Device, PassCapacity.For(largest, 1, true)));
        _keep = keep;
    }

    /// <summary>A batch, valid until another is asked for.</summary>
    /// <param name="index">Its index.</param>
    /// <returns>The batch.</returns>
    public MaskedBatch Get(int index)
    {
        if (_made[index] is { } made) return made;
        if (_keep) return _made[index] = Make(_context.Plan.Batches[index]);
        _current?.Dispose();
        _current = null;
        return _current = Make(_context.Plan.Batches[index]);
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        _current?.Dispose();
        foreach (MaskedBatch? batch in _made) batch?.Dispose();
        base.Dispose();
    }

    private MaskedBatch Make(int[] items)
    {
        using PairBatch batch = _context.Batch(items);
        PassShape both = _context.Shapes.Get(batch.Spans, 2, true);
        PassShape one = _context.Shapes.Get(batch.Spans, 1, true);
        _pair.Run(batch, both);
        _pair.TakeWriters(both, 1, _target);
        _ablation.Target(one, _target, _target);
        return MaskedBatch.Make(
            _context.Weights, _plan, _biases, batch.Pairs, batch.Spans, _pair.Prefix, _pair.Prompts.Clean, _target, _kl.Reference);
    }
}
