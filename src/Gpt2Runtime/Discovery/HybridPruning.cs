using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// The hybrid of Gu et al. (arXiv 2510.03282): scores that cost a few passes keep a generous share of the edges, and
/// <see cref="EdgePruning"/> searches among those alone. What the first stage prunes is not computed in the second
/// (<see cref="EdgePruning"/> leaves out writers and readers without candidates), and the second's schedule begins at the sparsity that the
/// first has reached. The first step scores, each other one trains.
/// </summary>
internal sealed class HybridPruning : SearchWorkOf<HybridPruningResult>, ITrainingLog
{
    private const string ScoresKey = "scores";
    private const string MetricKey = "scorer-metric";

    private readonly Gpt2Weights _model;
    private readonly PromptSet _prompts;
    private readonly HybridPruningOptions _options;
    private readonly CancellationToken _cancellation;
    private EdgeScores? _scores;
    private string? _scorerMetric;
    private Circuit? _candidates;
    private MaskDraws? _training;

    /// <summary>Checks the options; nothing runs yet.</summary>
    /// <param name="model">The weights of the model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs.</param>
    /// <param name="options">Settings.</param>
    /// <param name="cancellation">Stops what is computed before the first step of the training.</param>
    /// <exception cref="OptionException">An option cannot be used.</exception>
    public HybridPruning(Gpt2Weights model, PromptSet prompts, HybridPruningOptions options, CancellationToken cancellation)
    {
        _model = model;
        _prompts = prompts;
        _options = options;
        _cancellation = cancellation;
        options.Resolve(new ComputationGraph(model.Config).EdgeCount);
    }

    /// <inheritdoc />
    public override bool IsDone => _training is { IsDone: true };

    /// <inheritdoc />
    public override string? Done => _training is null ? null : _training.Done ?? "the scores";

    /// <inheritdoc />
    public IReadOnlyList<EdgePruningStep> Log => _training?.Log ?? [];

    /// <inheritdoc />
    public override void Step(IProgress<RunProgress>? progress, CancellationToken cancellation)
    {
        if (_training is not null)
        {
            _training.Step(progress, cancellation);
            return;
        }
        EdgeScores scores = _options.Scorer!.Score(_model, _prompts, progress is null ? null : new Scoring(progress), cancellation);
        Begin(scores, scores.Provenance?.Metric);
    }

    /// <inheritdoc />
    public override JsonObject Save()
    {
        JsonObject state = _training!.Save();
        state[ScoresKey] = RunCheckpoint.Pack(_scores!.Values);
        state[MetricKey] = _scorerMetric;
        return state;
    }

    /// <inheritdoc />
    public override void Restore(JsonObject state, RunCheckpoint checkpoint)
    {
        var graph = new ComputationGraph(_model.Config);
        float[] scores = checkpoint.Unpack<float>(state, ScoresKey, graph.Writers * graph.Readers);
        if (!state.ContainsKey(MetricKey)) throw checkpoint.Damaged();
        string? metric = state[MetricKey] is null ? null : checkpoint.Text(state, MetricKey);
        try
        {
            Begin(new EdgeScores(graph, scores), metric);
        }
        catch (OptionException e)
        {
            // The run that these scores are from could begin.
            throw checkpoint.Damaged(e);
        }
        _training!.Restore(state, checkpoint);
    }

    /// <inheritdoc />
    protected override HybridPruningResult Finish(CancellationToken cancellation)
    {
        EdgePruningResult trained = _training!.Result();
        trained.Circuit.Provenance!.Options[MetricKey] = _scorerMetric;
        return new HybridPruningResult(trained, _candidates!) { Passes = trained.Passes + _options.Scorer!.Passes };
    }

    // The cut, and the training among what it leaves.
    private void Begin(EdgeScores scores, string? metric)
    {
        _scores = scores;
        _scorerMetric = metric;
        _candidates = CircuitSelection.TopEdges(scores, (int)Math.Round(_options.Share * scores.Graph.EdgeCount));
        _training = Own(new MaskDraws(_model, _prompts, _options, CircuitSearches.HybridPruning, _candidates, _cancellation));
    }

    private sealed class Scoring(IProgress<RunProgress> progress) : IProgress<RunProgress>
    {
        public void Report(RunProgress value) => progress.Report(value with { Stage = "scores" });
    }
}
