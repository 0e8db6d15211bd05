using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>
/// Runs batch after batch of prompt pairs through circuits and judges them. Several circuits are copies of one patched pass; the full model
/// and the empty circuit need none, because the pair's clean run is the one and the ablated residual stream the other.
/// </summary>
internal sealed class CircuitRunner : ResourceOwner
{
    private const int AmpleRows = 2048;

    private readonly RunContext _context;
    private readonly int _copies;
    private readonly PairRun _pair;
    private readonly PatchedForwardPass _patched;
    private readonly CircuitJudge _judge;
    private readonly Tensor _answers;
    private readonly AblationTargets _ablation;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="context">The run.</param>
    /// <param name="metric">What judges circuits beside the KL divergence.</param>
    /// <param name="circuits">Number of circuits.</param>
    public CircuitRunner(RunContext context, Metric metric, int circuits)
    {
        _context = context;
        Device device = context.Device;
        PromptSpan[] spans = context.Largest;
        _copies = CopiesFor(device.RowsOfCopies(AmpleRows), spans.Sum(s => s.Length), circuits);
        var one = PassCapacity.For(spans, 1, true);
        int answers = spans.Length * Math.Max(2, _copies);
        _patched = Own(new PatchedForwardPass(context.Weights, one, _copies, continues: false));
        _judge = Own(new CircuitJudge(context.Weights, metric, spans.Length, answers));
        _pair = Own(new PairRun(context, spans, true, _judge.Head));
        _answers = Own(device.Allocate(answers, context.Config.Width));
        _ablation = Own(new AblationTargets(context, true));
    }

    /// <summary>Allocates what circuits take on a batch at most; see <see cref="Rehearsal"/>.</summary>
    /// <param name="batch">The batch.</param>
    public void Rehearse(PairBatch batch)
    {
        PassShape both = _context.Shapes.Get(batch.Spans, 2, true);
        PassShape one = _context.Shapes.Get(batch.Spans, 1, true);
        RunBoth(batch, both, one);
        _patched.Reserve(one, _context.Plan.Batches.Count, _copies * _context.Graph.Writers);
        _judge.Rehearse(Math.Max(2, _copies) * one.Items);
    }

    /// <summary>Evaluates circuits on a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="circuits">The circuits.</param>
    /// <param name="outcomes">The items' places in the outcomes of the full model, of the empty circuit and of each circuit are
    /// filled.</param>
    /// <param name="advance">Told how many outcomes more there are.</param>
    public void Evaluate(PairBatch batch, PatchedCircuit[] circuits, OutcomeTally[] outcomes, Action<int> advance)
    {
        PassShape both = _context.Shapes.Get(batch.Spans, 2, true);
        PassShape one = _context.Shapes.Get(batch.Spans, 1, true);
        int[] fullTokens = RunBoth(batch, both, one);

        // The full circuit is the clean run and the empty one the ablated residual stream: neither needs a pass of its own.
        long length = (long)one.Items * _context.Config.Width;
        _context.Device.CopyBlock(_pair.Activations.Boundaries[^1].Residual, length, _answers, 0, length);
        _patched.TakeAblatedAnswers(one, _answers, one.Items);
        _judge.Judge(batch, _answers, fullTokens, outcomes.AsSpan(0, 2));
        advance(2);
        for (int first = 0; first < circuits.Length; first += _copies)
        {
            int count = Math.Min(_copies, circuits.Length - first);
            _patched.Run(one, _pair.Prompts.Clean, circuits.AsSpan(first, count), _context.AblatedInputsMatter, _answers);
            _judge.Judge(batch, _answers, fullTokens, outcomes.AsSpan(2 + first, count));
            advance(count);
        }
    }

    private static int CopiesFor(int most, int rows, int circuits) =>
        Math.Clamp(most / Math.Max(1, rows), 1, Math.Max(1, circuits));

    // The clean run is the reference of KL and of the exact match; the corrupted run gives the ablated outputs.
    private int[] RunBoth(PairBatch batch, PassShape both, PassShape one)
    {
        _pair.Run(batch, both, cleanCopy: 1);
        int[] tokens = _judge.Compare(batch, both, _pair.Activations, cleanCopy: 1);
        _patched.SetAblation(one, _ablation.After(_pair, both, one), _pair.Prefix);
        return tokens;
    }
}
