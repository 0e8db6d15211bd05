using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// A method at work: scores one batch after the other, with workspaces made for the largest, and hands the sums over when all are done.
/// </summary>
/// <param name="context">The run.</param>
internal abstract class BatchScorer(RunContext context) : ResourceOwner, ISavedWork
{
    /// <summary>What a state calls the number of pairs per batch, which a run that goes on keeps.</summary>
    public const string SizeKey = "pairs-per-batch";

    private const int UnitsPerItem = 1000;
    private int _itemsDone;
    private int _itemsNow;
    private int _part;
    private int _parts = 1;
    private ISavedWork? _whole;
    private SpanRows? _spanRows;

    /// <summary>The run.</summary>
    protected RunContext Context { get; } = context;

    /// <summary>Where the sums are kept on the way; null for nowhere.</summary>
    public virtual RunCheckpoint? Checkpoint { get; set; }

    /// <inheritdoc />
    public virtual string? Done => null;

    /// <inheritdoc />
    public virtual JsonObject Save() => throw new NotSupportedException();

    /// <summary>Takes up a state that <see cref="Save"/> gave, before the first batch.</summary>
    /// <param name="state">The state.</param>
    /// <param name="from">Where it is from.</param>
    /// <exception cref="GradpathException">It is not a state of this run.</exception>
    public virtual void Restore(JsonObject state, RunCheckpoint from) => throw new NotSupportedException();

    /// <summary>Scores a batch.</summary>
    /// <param name="batch">The batch.</param>
    public virtual void Score(WeightedBatch batch)
    {
        _itemsNow = batch.Items.Length;
        if (_spanRows is not null) LoadSpans(_spanRows, batch);
        Advance("scoring", 0);
        ScoreBatch(batch);
        Advance("scoring", 1);
        _itemsDone += _itemsNow;
        _itemsNow = 0;
    }

    /// <summary>Makes this one of several scorers that score each batch one after the other: its progress is its part of theirs.</summary>
    /// <param name="index">Which one it is, from 0.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="whole">What is saved in place of this scorer's work alone.</param>
    public void TakePart(int index, int count, ISavedWork whole) => (_part, _parts, _whole) = (index, count, whole);

    /// <summary>What gradients by spans need, of which a scorer has one.</summary>
    /// <param name="one">The largest batch, one copy.</param>
    /// <param name="gradients">The largest backward pass.</param>
    /// <returns>Null where the run tells no spans apart.</returns>
    protected SpanSettings? SpansOf(PassCapacity one, PassCapacity gradients)
    {
        if (Context.Positions is not { } positions) return null;
        _spanRows = Own(new SpanRows(Context.Device, positions.Count, one));
        return new SpanSettings(positions.Graph, _spanRows, gradients);
    }

    // Apart, because what a function remembers is allocated where the method begins.
    private void LoadSpans(SpanRows rows, WeightedBatch batch) =>
        rows.Load(batch.Spans, (i, position) => Context.Positions!.SpanOf(batch.Items[i], position));

    /// <summary>Offers what has been done to the checkpoint.</summary>
    protected void OfferWork() => Checkpoint?.Offer(_whole ?? this);

    /// <summary>Passes over a batch that an earlier run has scored.</summary>
    /// <param name="items">Its items.</param>
    protected void Skip(int items) => _itemsDone += items;

    /// <summary>Does with a batch whatever allocates memory when it is scored; see <see cref="Rehearsal"/>.</summary>
    /// <param name="batch">The batch.</param>
    public virtual void Rehearse(WeightedBatch batch) => ScoreBatch(batch);

    /// <summary>Hands over what all batches have given.</summary>
    /// <returns>The sums. Batches that are scored after this do not change them.</returns>
    public abstract ScoreSums Finish();

    /// <summary>Adds a batch to the sums.</summary>
    /// <param name="batch">The batch.</param>
    protected abstract void ScoreBatch(WeightedBatch batch);

    /// <summary>Tells how far the current batch is. A run that was cancelled ends here.</summary>
    /// <param name="stage">What is being done.</param>
    /// <param name="share">Share of the batch that is done.</param>
    protected void Advance(string stage, double share) => Context.Report(
        ((long)_itemsDone * UnitsPerItem) + (long)((_part + share) / _parts * _itemsNow * UnitsPerItem),
        (long)Context.Pairs.Count * UnitsPerItem, stage);
}
