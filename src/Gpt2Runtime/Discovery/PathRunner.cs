using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// The four passes of <see cref="PathPatching"/> on one batch after the other: <see cref="Begin"/>, <see cref="Run"/> per query,
/// <see cref="End"/>.
/// </summary>
internal sealed class PathRunner : ResourceOwner
{
    private const int AmpleRows = 4096;
    private const int MostCopies = 64;

    private readonly RunContext _context;
    private readonly PathPatchingOptions _options;
    private readonly int _copies;
    private readonly PairRun _pair;
    private readonly PatchedForwardPass _patched;
    private readonly PathPass _paths;
    private readonly OutputHead _head;
    private readonly Tensor _answers;
    private readonly WriterOutputs _clean;
    private readonly WriterOutputs _differences;
    private readonly AblationTargets _ablation;
    private readonly Tensor[] _noted;
    private readonly Dictionary<TokenPositions, Tensor> _masks = [];
    private PassShape? _one;
    private double[] _full = [];

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="context">The run.</param>
    /// <param name="options">How paths are patched.</param>
    /// <param name="metric">The metric.</param>
    /// <param name="senders">Most senders of a query.</param>
    /// <param name="sublayers">Most sublayers that a query's receivers belong to.</param>
    public PathRunner(RunContext context, PathPatchingOptions options, Metric metric, int senders, int sublayers)
    {
        _context = context;
        _options = options;
        PromptSpan[] spans = context.Largest;
        Device device = context.Device;
        int copies = _copies = CopiesFor(device.RowsOfCopies(AmpleRows), spans.Sum(s => s.Length), senders);
        var one = PassCapacity.For(spans, 1, false);
        int answers = spans.Length * Math.Max(2, copies);
        _patched = Own(new PatchedForwardPass(context.Weights, one, copies, continues: false));
        _paths = new PathPass(context.Weights, _patched);
        _head = Own(new OutputHead(context.Weights, metric, spans.Length, answers));
        _pair = Own(new PairRun(context, spans, false, _head));
        _answers = Own(device.Allocate(answers, context.Config.Width));
        _clean = Own(new WriterOutputs(context.Config, device, one));
        _differences = Own(new WriterOutputs(context.Config, device, one));
        _ablation = Own(new AblationTargets(context, false));
        _noted = [.. Enumerable.Range(0, sublayers).Select(_ => Own(device.Allocate(copies, one.Rows, context.Config.Width)))];
    }

    /// <summary>Passes A and B of a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="positions">Per named positions and item of the run the tokens that they stand for.</param>
    /// <returns>The sum of the clean metric.</returns>
    public double Begin(PairBatch batch, Dictionary<TokenPositions, bool[][]> positions)
    {
        PassShape both = _context.Shapes.Get(batch.Spans, 2, false);
        _one = new PassShape(_context.Device, batch.Spans, 1, false);
        foreach ((TokenPositions name, bool[][] chosen) in positions)
        {
            float[] mask = [.. batch.Items.SelectMany((item, i) => chosen[item].Skip(batch.Spans[i].Prefix).Select(c => c ? 1f : 0f))];
            _masks.Add(name, _context.Device.StoreTensor(mask, mask.Length));
        }
        _pair.Run(batch, both);
        _pair.TakeWriters(both, 0, _clean);
        _pair.TakeWriters(both, 1, _differences);
        _ablation.Difference(_one, _clean, _differences, _differences);
        _differences.Weight(_one, _masks[_options.SenderPositions], null);
        _patched.SetAblation(_one, _pair.First, _pair.Prefix);
        _patched.TakeAblatedAnswers(_one, _answers);
        _head.EvaluateRows(_answers, _one.Items);
        _full = _head.Values[.._one.Items];
        return _full.Sum();
    }

    /// <summary>Allocates what queries take on a batch at most; see <see cref="Rehearsal"/>.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="names">All positions that the queries name.</param>
    public void Rehearse(PairBatch batch, IEnumerable<TokenPositions> names)
    {
        bool[][] all = [.. batch.Pairs.Select(p => new bool[p.Length])];
        Begin(batch, names.ToDictionary(n => n, _ => all));
        _patched.Reserve(_one!, _context.Plan.Batches.Count, _noted.Length * _copies);
    }

    /// <summary>Passes C and D of all senders.</summary>
    /// <param name="plan">The query.</param>
    /// <param name="effects">[senders of the query]: each one's effect is added.</param>
    /// <param name="advance">Told how many senders more are done.</param>
    public void Run(PathPlan plan, double[] effects, Action<int> advance)
    {
        InputReplacement[] replacements =
        [
            .. plan.Replacements.Select(
                r => new InputReplacement(r.Sublayer, _noted[Array.IndexOf(plan.Sublayers, r.Sublayer)], _masks[r.Positions])),
        ];
        foreach (int[] chunk in plan.Senders.Chunk(_copies))
        {
            _paths.RunSenders(
                _one!, [.. chunk.Select(s => plan.Query.Senders[s])], _differences, !_options.FreezeMlps, plan.Sublayers, _noted);
            _paths.RunReceivers(_one!, chunk.Length, replacements, plan.ReplacementOf, _answers);
            _head.EvaluateRows(_answers, chunk.Length * _one!.Items);
            for (int c = 0; c < chunk.Length; c++)
            {
                for (int i = 0; i < _one.Items; i++) effects[chunk[c]] += _head.Values[(c * _one.Items) + i] - _full[i];
            }
            advance(chunk.Length);
        }
    }

    /// <summary>Gives back what belongs to the batch alone.</summary>
    public void End()
    {
        foreach (Tensor mask in _masks.Values) mask.Dispose();
        _masks.Clear();
        _one?.Dispose();
        _one = null;
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        End();
        base.Dispose();
    }

    private static int CopiesFor(int most, int rows, int senders) =>
        Math.Min(Math.Clamp(most / Math.Max(1, rows), 1, MostCopies), senders);
}
