using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// Refuses options that do not apply to the method or contradict each other, and items that cannot be scored, before any work is done.
/// </summary>
internal static class AttributionChecks
{
    /// <summary>Checks everything.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="prompts">Items.</param>
    /// <param name="options">Method and settings.</param>
    /// <exception cref="OptionException">An option does not apply to the method or cannot be used.</exception>
    /// <exception cref="GradpathException">An item cannot be scored.</exception>
    public static void Check(Gpt2Config config, PromptSet prompts, AttributionOptions options)
    {
        CheckOptions(options);
        ScoringSettings settings = ScoringSettings.Of(options, prompts.Metric);
        CheckPathHasDirection(settings);
        if (settings.Normalization == ScoreNormalization.Library && prompts.Pairs.Any(p => p.Sequences is not null))
            throw new OptionException($"{Terms.Normalization.With(settings.Normalization)} is for answers of one token");
        PairChecks.Check(config, prompts.Pairs, options.Method.HasMetric ? settings.Metric : null, settings.Ablation, options.BatchSize);
    }

    /// <summary>Checks what can be checked without model and prompts.</summary>
    /// <param name="options">Method and settings.</param>
    /// <exception cref="OptionException">An option does not apply to the method or cannot be used.</exception>
    public static void CheckOptions(AttributionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options.Method);
        foreach ((MethodSettings setting, Term term, bool isGiven) in Given(options))
        {
            if (isGiven && !options.Method.Takes(setting)) throw DoesNotApply(options.Method, setting, term);
        }
        if (options.Positions is { } positions) CheckPositions(options.Method, positions);
        if (options.Ablation is { } ablation) Ensemble.RequireAblation(options.Method, ablation);
        if (options.Steps < 1) throw new OptionException($"{Terms.Steps.With(options.Steps)}: must be at least 1");
        PairChecks.CheckBatchSize(options.BatchSize);
        if (options.Normalization == ScoreNormalization.Library) RequireBatchSize(options, Terms.Normalization.With(options.Normalization));
        if (options.EmbeddingPath?.Norm == EmbeddingPathNorm.Batch)
            RequireBatchSize(options, Terms.EmbeddingPathNorm.With(EmbeddingPathNorm.Batch));
        if (options.Method.Takes(MethodSettings.EmbeddingPath)) CheckSteps(options.EmbeddingPath);
        if (options.Metric is not null) CheckPathHasDirection(ScoringSettings.Of(options));
    }

    private static void CheckPositions(AttributionMethod method, PositionMode positions)
    {
        if (method.ScoresPositions) return;
        string[] takers = [.. AttributionMethods.All.Where(m => m.ScoresPositions).Select(m => m.Name)];
        throw new OptionException(
            $"{Terms.Positions.With(positions)} does not apply to {method.Name}; {CanonicalNames.Choice(takers)} take it");
    }

    private static (MethodSettings Setting, Term Term, bool IsGiven)[] Given(AttributionOptions o) =>
    [
        (MethodSettings.Metric, Terms.Metric, o.Metric is not null),
        (MethodSettings.Steps, Terms.Steps, o.Steps is not null),
        (MethodSettings.Ablation, Terms.Ablation, o.Ablation is not null),
        (MethodSettings.IgPoints, Terms.IgPoints, o.IgPoints is not null),
        (MethodSettings.EmbeddingPath, Terms.EmbeddingPathObjective, o.EmbeddingPath?.Objective is not null),
        (MethodSettings.EmbeddingPath, Terms.EmbeddingPathNorm, o.EmbeddingPath?.Norm is not null),
        (MethodSettings.EmbeddingPath, Terms.EmbeddingPathStep, o.EmbeddingPath?.Step is not null),
        (MethodSettings.EmbeddingPath, Terms.EmbeddingPathStart, o.EmbeddingPath?.Start is not null),
        (MethodSettings.EmbeddingPath, Terms.EmbeddingPathOuter, o.EmbeddingPath?.Outer is not null),
        (MethodSettings.EmbeddingPath, Terms.EmbeddingPathDirection, o.EmbeddingPath?.Direction is not null),
        (MethodSettings.Seed, Terms.Seed, o.Seed is not null),
        (MethodSettings.RecordPath, Terms.RecordPath, o.RecordPath),
    ];

    private static OptionException DoesNotApply(AttributionMethod method, MethodSettings setting, Term term)
    {
        string[] takers = [.. AttributionMethods.All.Where(m => m.Takes(setting) && m.Name != method.Name).Select(m => m.Name)];
        bool unread = method.Members.Count > 0 && !method.Members.Any(m => m.Takes(setting));
        string which = unread ? ", no member of which takes it" : "";
        return new OptionException(
            $"{term} does not apply to {method.Name}{which}; {CanonicalNames.Choice(takers)} {(takers.Length == 1 ? "takes" : "take")} it");
    }

    private static void RequireBatchSize(AttributionOptions options, Term what)
    {
        if (options.BatchSize == 0) throw new OptionException($"{what} needs {Terms.BatchSize}: the scores depend on it");
    }

    private static void CheckSteps(EmbeddingPathOptions? options)
    {
        EmbeddingPathSettings path = EmbeddingPathSettings.Of(options);
        if (options?.Objective is { } unread && !path.FollowsObjective)
        {
            Term given = Terms.EmbeddingPathObjective.With(unread), line = Terms.EmbeddingPathDirection.With(path.Direction);
            throw new OptionException(
                $"{given} decides nothing: {line} with {Terms.EmbeddingPathStep.With(path.Step)} goes by the embeddings alone");
        }
        if (path.Step != EmbeddingPathStep.Distance) return;
        Term step = Terms.EmbeddingPathStep.With(path.Step);
        if (!EmbeddingPathObjectiveGradient.HasDistance(path.Objective))
        {
            Term objective = Terms.EmbeddingPathObjective.With(path.Objective);
            Term match = Terms.EmbeddingPathStep.With(EmbeddingPathStep.Match);
            Term residual = Terms.EmbeddingPathObjective.With(EmbeddingPathObjective.ResidualFinal);
            Term logits = Terms.EmbeddingPathObjective.With(EmbeddingPathObjective.LogitsAll);
            throw new OptionException($"{step} does not go with {objective}: use {residual} or {logits}, or {match}");
        }
        if (path.Norm == EmbeddingPathNorm.Batch)
            throw new OptionException($"{step} is measured per item and does not go with {Terms.EmbeddingPathNorm.With(path.Norm)}");
    }

    private static void CheckPathHasDirection(ScoringSettings settings)
    {
        bool walks = settings.Method.Takes(MethodSettings.EmbeddingPath);
        bool atMinimum = settings is { Metric.MeasuresDistance: true, Path.Start: not EmbeddingPathStart.Corrupted };
        if (!walks || !atMinimum || settings.Path.Objective != EmbeddingPathObjective.Metric) return;
        Term objective = Terms.EmbeddingPathObjective.With(EmbeddingPathObjective.Metric);
        Term metric = Terms.Metric.With(settings.Metric);
        Term start = Terms.EmbeddingPathStart.With(EmbeddingPathStart.Corrupted);
        const string Reason = "the metric has its minimum there, so no direction leads away";
        throw new OptionException(
            $"{objective} cannot start at the clean prompt with {metric}: {Reason}; use {start} or another objective");
    }
}
