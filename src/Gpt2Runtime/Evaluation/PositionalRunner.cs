using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>Runs batch after batch of prompt pairs through circuits of edges between spans and judges them, one after the other.</summary>
internal sealed class PositionalRunner : ResourceOwner
{
    private readonly RunContext _context;
    private readonly SpanRows _rows;
    private readonly PairRun _pair;
    private readonly PositionalPass _pass;
    private readonly CircuitJudge _judge;
    private readonly Tensor _answers;
    private readonly WriterOutputs _target;
    private readonly AblationTargets _ablation;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="context">The run, with the spans of its items' tokens.</param>
    /// <param name="metric">What judges circuits beside the KL divergence.</param>
    public PositionalRunner(RunContext context, Metric metric)
    {
        _context = context;
        PromptSpan[] spans = context.Largest;
        var one = PassCapacity.For(spans, 1, false);
        int answers = 2 * spans.Length;
        _rows = Own(new SpanRows(context.Device, context.Positions!.Count, one));
        _pass = Own(new PositionalPass(context.Weights, one, _rows));
        _judge = Own(new CircuitJudge(context.Weights, metric, spans.Length, answers));
        _pair = Own(new PairRun(context, spans, false, _judge.Head));
        _answers = Own(context.Device.Allocate(answers, context.Config.Width));
        _target = Own(new WriterOutputs(context.Config, context.Device, one));
        _ablation = Own(new AblationTargets(context, false));
    }

    /// <summary>Allocates what circuits take on a batch at most; see <see cref="Rehearsal"/>.</summary>
    /// <param name="batch">The batch.</param>
    public void Rehearse(PairBatch batch)
    {
        _ = _context.Shapes.Get(batch.Spans, 2, false);
        _ = _context.Shapes.Get(batch.Spans, 1, false);
        _pair.Load(batch);
        _judge.Rehearse(2 * batch.Items.Length);
    }

    /// <summary>Evaluates circuits on a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="circuits">The circuits, with the run's spans.</param>
    /// <param name="outcomes">The items' places in the outcomes of the full model, of the empty circuit and of each circuit are
    /// filled.</param>
    /// <param name="advance">Told how many outcomes more there are.</param>
    public void Evaluate(PairBatch batch, PositionalCircuit[] circuits, OutcomeTally[] outcomes, Action<int> advance)
    {
        PassShape both = _context.Shapes.Get(batch.Spans, 2, false);
        PassShape one = _context.Shapes.Get(batch.Spans, 1, false);
        int items = one.Items, d = _context.Config.Width;
        _rows.Load(batch.Spans, (i, position) => _context.Positions!.SpanOf(batch.Items[i], position));
        _pair.Run(batch, both);
        int[] fullTokens = _judge.Compare(batch, both, _pair.Activations, cleanCopy: 0);
        _pair.TakeWriters(both, 1, _target);
        _ablation.Target(one, _target, _target);
        _pass.SetAblation(one, _target);
        _context.Device.GatherRows(_pair.Activations.Boundaries[^1].Residual, one.AnswerRows, items, d, _answers);
        _judge.Judge(batch, _answers, fullTokens, outcomes.AsSpan(0, 1));
        _pass.TakeAblatedAnswers(one, _answers);
        _judge.Judge(batch, _answers, fullTokens, outcomes.AsSpan(1, 1));
        advance(2);
        for (int c = 0; c < circuits.Length; c++)
        {
            _pass.Run(one, _pair.Prompts.Clean, circuits[c], _context.AblatedInputsMatter, _answers);
            _judge.Judge(batch, _answers, fullTokens, outcomes.AsSpan(2 + c, 1));
            advance(1);
        }
    }
}
