using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// Where the embedding paths of a batch start and which run they head for, pair by pair. With <see cref="EmbeddingPathStart.Auto"/> a pair
/// starts at its clean embedding where it is saturated there, else at its corrupted one:
///
///     saturated: 8 ||dL/de at the clean embedding|| is less than ||dL/de halfway to the corrupted one||
///
/// with norms over the positions from the pair's first difference on.
/// </summary>
internal sealed class EmbeddingPathEnds : ResourceOwner
{
    /// <summary>By how much the metric's gradient is smaller at the clean embedding of a saturated pair than halfway.</summary>
    private const double Saturated = 8;

    private readonly RunContext _context;
    private readonly EmbeddingPathStart _choice;
    private readonly PairRun _pair;
    private readonly OutputHead _head;
    private readonly BackwardPass _backward;
    private readonly Tensor _rowWeights;
    private readonly Tensor _itemWeights;
    private readonly Tensor _moving;
    private readonly DeviceArray<double>? _squares;
    private readonly Tensor? _start;
    private readonly Tensor? _target;
    private readonly double[] _atClean, _halfway, _clean, _corrupted;
    private readonly float[] _hostRows, _hostItems, _hostMoving;
    private readonly bool[] _fromClean;
    private bool _anyStill;
    private bool _stillSent;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="context">The run.</param>
    /// <param name="start">Where paths start.</param>
    /// <param name="pair">Runs both prompts; used, not owned.</param>
    /// <param name="head">The metric; used, not owned.</param>
    /// <param name="backward">The backward pass; used, not owned.</param>
    /// <param name="rows">Rows of the largest batch.</param>
    public EmbeddingPathEnds(
        RunContext context, EmbeddingPathStart start, PairRun pair, OutputHead head, BackwardPass backward, int rows)
    {
        (_context, _choice, _pair, _head, _backward) = (context, start, pair, head, backward);
        int items = context.Largest.Length;
        _rowWeights = Own(context.Device.Allocate(rows));
        _itemWeights = Own(context.Device.Allocate(items));
        _moving = Own(context.Device.Allocate(rows));
        (_hostRows, _hostItems, _hostMoving, _fromClean) = (new float[rows], new float[items], new float[rows], new bool[items]);
        (_atClean, _halfway, _clean, _corrupted) = (new double[items], new double[items], new double[items], new double[items]);
        if (start != EmbeddingPathStart.Auto) return;
        _squares = Own(context.Device.AllocateArray<double>(items));
        _start = Own(context.Device.Allocate(rows, context.Config.Width));
        _target = Own(context.Device.Allocate(rows, context.Config.Width));
    }

    /// <summary>[rows, D]: the embeddings at which the paths start.</summary>
    public Tensor Start => Choose(_pair.Prompts.Clean, _pair.Prompts.Corrupted, _start);

    /// <summary>[rows, D]: the embeddings of the runs that the paths head for.</summary>
    public Tensor Target => Choose(_pair.Prompts.Corrupted, _pair.Prompts.Clean, _target);

    /// <summary>[rows]: by how much target - start counts as a share of corrupted - clean, row by row.</summary>
    public Tensor RowWeights { get; private set; } = null!;

    /// <summary>[items]: the same for each item.</summary>
    public Tensor ItemWeights { get; private set; } = null!;

    /// <summary>Whether the path of an item of the batch starts at its clean embedding.</summary>
    /// <param name="item">Index in the batch.</param>
    public bool FromClean(int item) => _fromClean[item];

    /// <summary>Takes a batch, whose prompts' embeddings are loaded, and decides where its paths start.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="one">A pass of one copy.</param>
    public void Begin(WeightedBatch batch, PassShape one)
    {
        SetMoving(batch, one);
        (RowWeights, ItemWeights) = (batch.RowWeights, batch.ItemWeights);
        if (_choice == EmbeddingPathStart.Auto) Measure(one);
        else _fromClean.AsSpan().Fill(_choice == EmbeddingPathStart.Clean);
        if (_choice == EmbeddingPathStart.Clean) return;
        (RowWeights, ItemWeights) = (_rowWeights, _itemWeights);
        for (int i = 0, row = 0; i < one.Items; i++)
        {
            float weight = (float)batch.HostItemWeights[i];
            _hostItems[i] = _fromClean[i] ? weight : -weight;
            _hostRows.AsSpan(row, one.Spans[i].Length).Fill(_hostItems[i]);
            row += one.Spans[i].Length;
        }
        _rowWeights.Upload(_hostRows.AsSpan(0, one.Rows));
        _itemWeights.Upload(_hostItems.AsSpan(0, one.Items));
        if (_start is null) return;
        CopyByItem(one, _pair.Prompts.Clean, _pair.Prompts.Corrupted, _start);
        CopyByItem(one, _pair.Prompts.Corrupted, _pair.Prompts.Clean, _target!);
    }

    /// <summary>Runs the start and the target as the two copies of one pass.</summary>
    /// <param name="both">The pass.</param>
    /// <returns>The metric of the clean and of the corrupted runs.</returns>
    public PairMetrics Run(PassShape both)
    {
        int items = both.Items;

        // By item, no copy holds all clean runs: the measurement has left what the metric compares with.
        _pair.RunCopies(both, Start, Target, _choice switch
        {
            EmbeddingPathStart.Clean => 0,
            EmbeddingPathStart.Corrupted => 1,
            _ => -1,
        });
        for (int i = 0; i < items; i++)
        {
            (_clean[i], _corrupted[i]) = _fromClean[i]
                ? (_head.Values[i], _head.Values[items + i])
                : (_head.Values[items + i], _head.Values[i]);
        }
        return new PairMetrics(_clean.AsSpan(0, items), _corrupted.AsSpan(0, items));
    }

    /// <summary>Makes target - start, or a later point's outputs minus an earlier one's, a weighted share of corrupted - clean.</summary>
    /// <param name="one">A pass of one copy.</param>
    /// <param name="outputs">The writers' differences, changed in place.</param>
    public void Weight(PassShape one, WriterOutputs outputs) => outputs.Weight(one, RowWeights, ItemWeights);

    /// <summary>Sets a gradient to 0 at the positions before each pair's first difference, where both prompts are the same.</summary>
    /// <param name="one">A pass of one copy.</param>
    /// <param name="gradient">[rows, D], changed in place.</param>
    public void KeepMoving(PassShape one, Tensor gradient)
    {
        if (!_anyStill) return;
        if (!_stillSent) _moving.Upload(_hostMoving.AsSpan(0, one.Rows));
        _stillSent = true;
        _context.Device.ScaleRows(gradient, _moving, one.Rows, one.Rows, _context.Config.Width, gradient);
    }

    // Spans that leave shared positions out have none to hold still.
    private void SetMoving(WeightedBatch batch, PassShape one)
    {
        _anyStill = _stillSent = false;
        for (int i = 0, row = 0; i < one.Items; i++)
        {
            int still = PairSpans.PrefixOf(batch.Pairs[i]) - one.Spans[i].Prefix;
            _anyStill |= still > 0;
            _hostMoving.AsSpan(row, still).Clear();
            _hostMoving.AsSpan(row + still, one.Spans[i].Length - still).Fill(1);
            row += one.Spans[i].Length;
        }
    }

    private Tensor Choose(Tensor fromClean, Tensor fromCorrupted, Tensor? byItem) =>
        byItem ?? (_choice == EmbeddingPathStart.Clean ? fromClean : fromCorrupted);

    private void CopyByItem(PassShape one, Tensor fromClean, Tensor fromCorrupted, Tensor target)
    {
        int d = _context.Config.Width;
        for (int i = 0, row = 0; i < one.Items;)
        {
            (bool clean, int first) = (_fromClean[i], row);
            for (; i < one.Items && _fromClean[i] == clean; i++) row += one.Spans[i].Length;
            _context.Device.CopyBlock(clean ? fromClean : fromCorrupted, (long)first * d, target, (long)first * d, (long)(row - first) * d);
        }
    }

    private void Measure(PassShape one)
    {
        PromptEmbeddings prompts = _pair.Prompts;
        SquaredGradients(one, prompts.Clean, 0, _atClean);
        _context.Device.Combine(0.5f, prompts.Clean, 0.5f, prompts.Corrupted, (long)one.Rows * _context.Config.Width, _start!);
        SquaredGradients(one, _start!, -1, _halfway);
        for (int i = 0; i < one.Items; i++) _fromClean[i] = Saturated * Saturated * _atClean[i] < _halfway[i];
    }

    private void SquaredGradients(PassShape one, Tensor point, int cleanCopy, double[] squares)
    {
        _context.Forward.Embed(one, _pair.Activations, point);
        _context.Forward.Run(one, _pair.Activations);
        _head.Evaluate(one, _pair.Activations, cleanCopy);
        _head.LossGradient(one, _backward, null, 0);
        _backward.Run(one, _pair.Activations, 1, null, 0);
        KeepMoving(one, _backward.Residual);
        _context.Device.SequenceDots(_backward.Residual, _backward.Residual, one.All, _context.Config.Width, _squares!);
        _squares!.Download(squares.AsSpan(0, one.Items));
    }
}
