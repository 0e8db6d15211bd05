using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// An ensemble at work: every batch goes to each member's scorer, and once all are done the members' scores are ranked and combined, see
/// <see cref="Ensemble"/>. Ranks need the sums over all batches, so nothing is combined before. All members' workspaces are there at once.
/// Of the work on the way, that of members which save theirs is kept; a run that goes on repeats the others', which are quick.
/// </summary>
internal sealed class EnsembleScores : BatchScorer
{
    private readonly ScoringSettings _settings;
    private readonly BatchScorer[] _scorers;

    /// <summary>Makes the members' scorers.</summary>
    /// <param name="context">The run.</param>
    /// <param name="settings">The settings of the ensemble, of which every member reads its own.</param>
    public EnsembleScores(RunContext context, ScoringSettings settings)
        : base(context)
    {
        _settings = settings;
        Members = settings.Method.Members;
        _scorers = [.. Members.Select(m => Own(m.Work.Scorer(context, settings with { Method = m })))];
        foreach ((int i, BatchScorer scorer) in _scorers.Index()) scorer.TakePart(i, _scorers.Length, this);
    }

    /// <inheritdoc />
    public override RunCheckpoint? Checkpoint
    {
        get => base.Checkpoint;
        set
        {
            base.Checkpoint = value;
            foreach ((_, BatchScorer scorer) in Saving) scorer.Checkpoint = value;
        }
    }

    /// <inheritdoc />
    public override string? Done
    {
        get
        {
            string[] done = [.. Saving.Where(m => m.Scorer.Done is not null).Select(m => $"{m.Scorer.Done} of {m.Method}")];
            return done.Length == 0 ? null : string.Join(" and ", done);
        }
    }

    private IReadOnlyList<AttributionMethod> Members { get; }

    private IEnumerable<(AttributionMethod Method, BatchScorer Scorer)> Saving => Members.Zip(_scorers).Where(m => m.First.Saves);

    /// <inheritdoc />
    public override JsonObject Save()
    {
        JsonObject state = new() { [SizeKey] = Context.Plan.Size };
        foreach ((AttributionMethod method, BatchScorer scorer) in Saving) state[method.Name] = scorer.Save();
        return state;
    }

    /// <inheritdoc />
    public override void Restore(JsonObject state, RunCheckpoint from)
    {
        foreach ((AttributionMethod method, BatchScorer scorer) in Saving)
            scorer.Restore(state[method.Name] as JsonObject ?? throw from.Damaged(), from);
    }

    /// <inheritdoc />
    public override void Score(WeightedBatch batch)
    {
        foreach (BatchScorer scorer in _scorers) scorer.Score(batch);
    }

    /// <inheritdoc />
    public override void Rehearse(WeightedBatch batch)
    {
        foreach (BatchScorer scorer in _scorers) scorer.Rehearse(batch);
    }

    /// <inheritdoc />
    public override ScoreSums Finish()
    {
        ComputationGraph graph = Context.Graph;
        int[] cells = [.. graph.Edges.Select(e => (e.Row * graph.Readers) + e.Column)];
        ScoreSums[] sums = Array.ConvertAll(_scorers, s => s.Finish());
        double[] combined = Ensemble.Combine(
            _settings.Method.Rule, [.. Members.Select((m, i) => (EdgesOf(m, sums[i], graph, cells), m.HasSign))]);
        var edges = new double[graph.Writers * graph.Readers];
        for (int i = 0; i < cells.Length; i++) edges[cells[i]] = combined[i];
        return new ScoreSums(edges, null, sums.Select(s => s.Metrics).FirstOrDefault(m => m is not null));
    }

    /// <inheritdoc />
    protected override void ScoreBatch(WeightedBatch batch) =>
        throw new NotSupportedException("the members score batches, and tell how far they are");

    private float[] EdgesOf(AttributionMethod member, ScoreSums sums, ComputationGraph graph, int[] cells)
    {
        float[] scores = sums.EdgeScores(graph, member.Work.Divisor(Context.Config, _settings));
        return Array.ConvertAll(cells, cell => scores[cell]);
    }
}
