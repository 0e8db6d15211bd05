using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// The batches that masks are trained on. Prompts and runs do not change while masks do, so a batch is made once and kept, as long as
/// there is memory for all of them; else each is made when its turn comes.
/// </summary>
internal sealed class MaskedBatches : IDisposable
{
    private readonly List<IDisposable> _owned = [];
    private readonly ScoringContext _context;
    private readonly IReadOnlyList<PromptPair> _pairs;
    private readonly PromptSpan[] _spans;
    private readonly int[][] _items;
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
    /// <param name="context">The run; its options have KL as metric and name the ablation.</param>
    /// <param name="pairs">All items.</param>
    /// <param name="spans">The positions of each item that are run.</param>
    /// <param name="items">Indices of each batch's items.</param>
    /// <param name="plan">What masked passes compute.</param>
    /// <param name="biases">The masked pass's biases.</param>
    public MaskedBatches(ScoringContext context, IReadOnlyList<PromptPair> pairs, PromptSpan[] spans, int[][] items, MaskedPlan plan, MaskedBiases biases)
    {
        _context = context;
        _pairs = pairs;
        _spans = spans;
        _items = items;
        _plan = plan;
        _biases = biases;
        _made = new MaskedBatch?[items.Length];
        PromptSpan[] largest = Largest(spans, items);
        _kl = Own(new OutputHead(context.Weights, TaskMetric.KlDivergence, largest.Length, 2 * largest.Length));
        _pair = Own(new PairRun(context, largest, true, _kl));
        _ablation = Own(new AblationTargets(context, pairs, true));
        _target = Own(new WriterOutputs(context.Config, context.Device, PassCapacity.For(largest, 1, true)));
        long bytes = items.Sum(batch => MaskedBatch.Bytes(context.Config, plan, [.. batch.Select(i => spans[i])]));
        _keep = bytes < context.Device.WorkspaceBudget;
    }

    /// <summary>The positions that are run. Masked runs lie between the clean and the corrupted one when patching, so all agree before the first difference.</summary>
    /// <param name="pairs">All items.</param>
    /// <param name="ablation">What replaces the writers' outputs.</param>
    /// <returns>One span per item.</returns>
    public static PromptSpan[] SpansOf(IReadOnlyList<PromptPair> pairs, Ablation ablation) => PromptSpan.Of(pairs, sharePrefixes: ablation == Ablation.Patching);

    /// <summary>A batch that is at least as large as any.</summary>
    /// <param name="spans">The positions of each item that are run.</param>
    /// <param name="items">Indices of each batch's items.</param>
    /// <returns>One span per item of the largest batch.</returns>
    public static PromptSpan[] Largest(PromptSpan[] spans, int[][] items) => PromptSpan.Largest(spans, items.Max(batch => batch.Length));

    /// <summary>A batch, valid until another is asked for.</summary>
    /// <param name="index">Its index.</param>
    /// <returns>The batch.</returns>
    public MaskedBatch Get(int index)
    {
        if (_made[index] is { } made) return made;
        MaskedBatch batch = Make(_items[index]);
        if (_keep)
        {
            _made[index] = batch;
        }
        else
        {
            _current?.Dispose();
            _current = batch;
        }
        return batch;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _current?.Dispose();
        foreach (MaskedBatch? batch in _made) batch?.Dispose();
        for (int i = _owned.Count - 1; i >= 0; i--) _owned[i].Dispose();
    }

    private MaskedBatch Make(int[] items)
    {
        using var batch = new ScoringBatch(_context.Device, _pairs, items, new double[_pairs.Count], _spans);
        PassShape both = _context.Shapes.Get(batch.Spans, 2, true);
        PassShape one = _context.Shapes.Get(batch.Spans, 1, true);
        _pair.Run(batch, both);
        _pair.TakeWriters(both, 1, _target);
        _ablation.Target(one, _target, _target);
        return MaskedBatch.Make(_context.Weights, _plan, _biases, batch.Pairs, batch.Spans, _pair.Prefix, _pair.Prompts.Clean, _target, _kl.Reference);
    }

    private T Own<T>(T resource)
        where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }
}
