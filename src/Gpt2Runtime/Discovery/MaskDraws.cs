using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// <see cref="EdgePruning"/> with as many draws of the masks as <see cref="EdgePruningOptions.Draws"/> says, one after the other. Each
/// draw's circuit is judged by its KL on the prompts that it was trained on, and the one of the lowest is the result. The first draw has
/// the seed of the options, so that one draw alone is edge pruning as it is.
/// </summary>
internal sealed class MaskDraws : SearchWorkOf<EdgePruningResult>, ITrainingLog
{
    private const string JudgedKey = "draw-kl";
    private const string KeptKey = "kept";

    private readonly Gpt2Weights _model;
    private readonly PromptSet _prompts;
    private readonly EdgePruningOptions _options;
    private readonly CircuitSearch _search;
    private readonly Circuit? _candidates;
    private readonly CancellationToken _cancellation;
    private readonly List<double> _judged = [];
    private EdgePruning? _training;
    private (JsonObject State, EdgePruningResult Result)? _kept;
    private double _passes;

    /// <summary>Sets up the first draw.</summary>
    /// <param name="model">The weights of the model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs.</param>
    /// <param name="options">Settings.</param>
    /// <param name="search">The search that the training belongs to.</param>
    /// <param name="candidates">The edges that may be in the circuit; null for all.</param>
    /// <param name="cancellation">Stops what is computed between steps.</param>
    /// <exception cref="OptionException">An option cannot be used, or the candidates are too few.</exception>
    /// <exception cref="GradpathException">An item cannot be used, or memory does not suffice.</exception>
    public MaskDraws(
        Gpt2Weights model, PromptSet prompts, EdgePruningOptions options, CircuitSearch search, Circuit? candidates,
        CancellationToken cancellation)
    {
        _model = model;
        _prompts = prompts;
        _options = options;
        _search = search;
        _candidates = candidates;
        _cancellation = cancellation;
        _training = Draw(0);
    }

    /// <inheritdoc />
    public override bool IsDone => _options.Draws == 1 ? _training!.IsDone : _judged.Count == _options.Draws;

    /// <inheritdoc />
    public override string? Done
    {
        get
        {
            string? steps = _training?.Done;
            if (_judged.Count == 0) return steps;
            return $"{_judged.Count} of {_options.Draws} draws" + (steps is null ? "" : $" and {steps}");
        }
    }

    /// <inheritdoc />
    /// <remarks>They are those of the draw under way; once all are done, of the one that is kept.</remarks>
    public IReadOnlyList<EdgePruningStep> Log => _training?.Log ?? _kept!.Value.Result.Log;

    /// <summary>The seed of a draw.</summary>
    /// <param name="seed">That of the options, which the first draw has.</param>
    /// <param name="draw">The draw, from 0.</param>
    /// <returns>The seed.</returns>
    public static ulong SeedOf(ulong seed, int draw) => draw == 0 ? seed : new SplitMix64(seed ^ ((ulong)draw << 32)).Next();

    /// <inheritdoc />
    public override void Step(IProgress<RunProgress>? progress, CancellationToken cancellation)
    {
        if (_training!.IsDone) Judge(cancellation);
        else _training.Step(progress is null || _options.Draws == 1 ? progress : new OfAllDraws(progress, this), cancellation);
    }

    /// <inheritdoc />
    public override JsonObject Save()
    {
        JsonObject state = _training?.Save() ?? [];
        state[JudgedKey] = RunCheckpoint.Pack<double>([.. _judged]);
        if (_kept is { } kept) state[KeptKey] = kept.State.DeepClone();
        return state;
    }

    /// <inheritdoc />
    public override void Restore(JsonObject state, RunCheckpoint checkpoint)
    {
        double[] judged = checkpoint.Unpack<double>(state, JudgedKey);
        if (judged.Length > (_options.Draws == 1 ? 0 : _options.Draws)) throw checkpoint.Damaged();
        _judged.AddRange(judged);
        if (judged.Length > 0)
        {
            if (state[KeptKey] is not JsonObject kept) throw checkpoint.Damaged();
            End();
            using EdgePruning training = Draw(Best);
            training.Restore(kept, checkpoint);
            if (!training.IsDone) throw checkpoint.Damaged();
            EdgePruningResult result = training.Result(_search);
            _kept = (training.Save(), result);
            _passes = judged.Length * Whole(result);
        }
        if (_judged.Count == _options.Draws) return;
        _training ??= Draw(judged.Length);
        _training.Restore(state, checkpoint);
    }

    /// <summary>The circuit of the draw that is kept, with what led to it.</summary>
    /// <returns>The result.</returns>
    public EdgePruningResult Result()
    {
        if (_kept is not { Result: var kept }) return _training!.Result(_search);
        Provenance provenance = kept.Circuit.Provenance!;
        provenance.Options["draw-kl"] = new JsonArray([.. _judged.Select(kl => JsonValue.Create(kl))]);
        provenance.Options["kept-draw"] = Best + 1;
        return kept with
        {
            Circuit = kept.Circuit.With(provenance with { Seed = (long?)_options.Seed ?? 0 }),
            Passes = _passes,
            DrawKl = _judged.AsReadOnly(),
            PeakDeviceBytes = _model.Device.PeakBytes,
        };
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        End();
        base.Dispose();
    }

    /// <inheritdoc />
    protected override EdgePruningResult Finish(CancellationToken cancellation) => Result();

    // Where two are equal, the first.
    private int Best => _judged.IndexOf(_judged.Min());

    private EdgePruning Draw(int draw) =>
        new(_model, _prompts, _options with { Seed = SeedOf(_options.Seed ?? 0, draw) }, _candidates, _cancellation);

    // The training's, and the one that judges.
    private static double Whole(EdgePruningResult result) => result.Passes + 1;

    private void Judge(CancellationToken cancellation)
    {
        EdgePruningResult result = _training!.Result(_search);
        JsonObject state = _training.Save();
        _judged.Add(_training.Kl(result.Circuit, cancellation));
        _passes += Whole(result);
        if (Best == _judged.Count - 1) _kept = (state, result);
        End();
        if (!IsDone) _training = Draw(_judged.Count);
    }

    private void End()
    {
        _training?.Dispose();
        _training = null;
    }

    private sealed class OfAllDraws(IProgress<RunProgress> told, MaskDraws draws) : IProgress<RunProgress>
    {
        public void Report(RunProgress value) => told.Report(value with
        {
            Done = (draws._judged.Count * value.Total) + value.Done,
            Total = draws._options.Draws * value.Total,
            Stage = $"draw {draws._judged.Count + 1} of {draws._options.Draws}",
        });
    }
}
