using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Tests.Support.Reference;

/// <summary>One item's path: a number per point (objective gradient norms: per step).</summary>
internal sealed record ReferencePathRecord
{
    public required double[] Metric { get; init; }

    public required double[] Kl { get; init; }

    /// <summary>|| d metric / d embedding ||.</summary>
    public required double[] MetricGradientNorm { get; init; }

    /// <summary>|| logits - target run's logits || over all positions.</summary>
    public required double[] OutputDistance { get; init; }

    /// <summary>Square root of the objective; the output distance where the method has no objective.</summary>
    public required double[] ObjectiveDistance { get; init; }

    public required double[] DistanceFromClean { get; init; }

    public required double[] DistanceFromCorrupted { get; init; }

    public required double[] ObjectiveGradientNorm { get; init; }

    /// <summary>eta.</summary>
    public required double Step { get; init; }
}

/// <summary>The embeddings at which EAP, EAP-IG and EAP-GP differentiate, and what the model does there.</summary>
internal static class ReferencePath
{
    /// <summary>EAP-GP's path for the items of one batch.</summary>
    public static EmbeddingPathWalk Walk(ReferenceModel model, IReadOnlyList<ReferenceItem> batch, ReferenceOptions options)
    {
        bool[] fromClean = [.. batch.Select(i => FromClean(model, i, options))];
        RealMatrix[] lines = [.. batch.Select((i, n) => fromClean[n]
            ? RealMatrix.Difference(i.CleanEmbedding, i.CorruptedEmbedding)
            : RealMatrix.Difference(i.CorruptedEmbedding, i.CleanEmbedding))];
        double[] first = new double[batch.Count];
        return EmbeddingPathWalk.Run(
            [.. batch.Select((i, n) => fromClean[n] ? i.CleanEmbedding : i.CorruptedEmbedding)],
            [.. batch.Select(i => StepLength(i, options))],
            options.Steps,
            options.Norm,
            (i, point) =>
            {
                ReferenceRun run = ReferenceRun.Forward(model, point);
                run.Tape.Differentiate(Objective(run, batch[i], fromClean[i], options));
                RealMatrix gradient = run.Embedding.GradientOrZero;
                return options.Eta == ReferenceEta.Distance ? FromFirstDifference(gradient, batch[i].Pair) : gradient;
            },
            (i, gradient) => options.Direction switch
            {
                ReferenceDirection.Gradient => gradient,
                ReferenceDirection.Line => lines[i],
                ReferenceDirection.Auto when !fromClean[i] => lines[i],
                _ => RealMatrix.Combine(Unit(gradient), 1, Unit(lines[i])),
            },
            options.Eta != ReferenceEta.Distance ? null : (i, step, point, gradient, against) =>
            {
                double distance = Math.Sqrt(Objective(ReferenceRun.Forward(model, point), batch[i], fromClean[i], options).Value[0, 0]);
                if (step == 0) first[i] = distance;
                double matched = lines[i].Norm() / options.Steps, due = first[i] * (1 - ((step + 0.5) / options.Steps));
                double fall = RealMatrix.Dot(gradient, against) / against.Norm() / (2 * distance);
                if (distance <= due) return 0.1 * matched;
                return fall > 1e-12 ? Math.Clamp((distance - due) / fall, 0.1 * matched, 2 * matched) : 2 * matched;
            });
    }

    /// <summary>Whether an item's path starts at its clean embedding.</summary>
    public static bool FromClean(ReferenceModel model, ReferenceItem item, ReferenceOptions options)
    {
        if (options.Start != ReferenceStart.Auto) return options.Start == ReferenceStart.Clean;
        RealMatrix halfway = RealMatrix.Interpolate(item.CorruptedEmbedding, item.CleanEmbedding, 0.5);
        return 8 * Steepness(item.CleanEmbedding) < Steepness(halfway);

        double Steepness(RealMatrix embedding)
        {
            ReferenceRun run = ReferenceRun.Forward(model, embedding);
            item.DifferentiateLoss(run, options.Metric);
            return FromFirstDifference(run.Embedding.GradientOrZero, item.Pair).Norm();
        }
    }

    // Zero at the positions before the first token in which the prompts differ; the last position always counts.
    private static RealMatrix FromFirstDifference(RealMatrix x, PromptPair pair)
    {
        RealMatrix kept = new(x.Rows, x.Columns);
        bool differs = false;
        for (int p = 0; p < x.Rows; p++)
        {
            differs |= pair.Clean[p] != pair.Corrupted[p] || p == x.Rows - 1;
            if (differs) x.Row(p).CopyTo(kept.Row(p));
        }
        return kept;
    }

    private static RealMatrix Unit(RealMatrix x) => x.Norm() < 1e-12 ? x : RealMatrix.Combine(x, (1 / x.Norm()) - 1, x);

    /// <summary>The squared distance between a run and the item's target run.</summary>
    public static TapeNode Objective(ReferenceRun run, ReferenceItem item, bool fromClean, ReferenceOptions options)
    {
        ReferenceRun target = Target(item, fromClean);
        TapeNode Seen(ReferenceRun r) => options.Objective switch
        {
            ReferenceObjective.LogitsAll => r.Logits,
            ReferenceObjective.LogitsLast => r.Tape.LastRow(r.Logits),
            ReferenceObjective.ProbabilitiesLast => r.Tape.Softmax(r.Tape.LastRow(r.Logits)),
            ReferenceObjective.ResidualFinal => r.FinalResidual,
            ReferenceObjective.ResidualFinalLast => r.Tape.LastRow(r.FinalResidual),
            _ => ReferenceMetric.Of(options.Metric, r, item.Pair, item.Clean.LastLogits),
        };
        return run.Tape.SquaredDistance(Seen(run), Seen(target).Value);
    }

    /// <summary>
    /// Records every point: of EAP-GP gamma_0..gamma_k, of EAP-IG (left) a = 0, 1/m, ..., 1, corrupted to clean; of EAP the clean point.
    /// </summary>
    public static ReferencePathRecord[] Record(ReferenceModel model, IReadOnlyList<PromptPair> pairs, ReferenceOptions options)
    {
        ReferenceItem[] items = ReferenceItem.Prepare(model, pairs, options.Ablation);
        bool together = options.Method == AttributionMethods.EapGp && options.Norm == ReferenceNorm.Batch;
        ReferenceItem[][] batches = [.. items.Chunk(together ? options.BatchSize : 1)];
        ReferencePathRecord[][] records = new ReferencePathRecord[batches.Length][];
        Parallel.For(0, batches.Length, b =>
        {
            EmbeddingPathWalk? walk = options.Method == AttributionMethods.EapGp ? Walk(model, batches[b], options) : null;
            records[b] = [.. batches[b].Select((item, i) =>
                RecordItem(model, item, options, walk?.Points[i] ?? StraightPoints(item, options), walk?.GradientNorms[i] ?? []))];
        });
        return [.. records.SelectMany(r => r)];
    }

    private static List<RealMatrix> StraightPoints(ReferenceItem item, ReferenceOptions options) =>
        options.Method == AttributionMethods.Eap
            ? [item.CleanEmbedding]
            : [.. Enumerable.Range(0, options.Steps + 1).Select(a =>
                RealMatrix.Interpolate(item.CorruptedEmbedding, item.CleanEmbedding, (double)a / options.Steps))];

    private static ReferencePathRecord RecordItem(
        ReferenceModel model,
        ReferenceItem item,
        ReferenceOptions options,
        IReadOnlyList<RealMatrix> points,
        IReadOnlyList<double> gradientNorms)
    {
        ReferenceRun[] runs = [.. points.Select(p => ReferenceRun.Forward(model, p))];
        bool fromClean = options.Method != AttributionMethods.EapGp || FromClean(model, item, options);
        return new ReferencePathRecord
        {
            Metric = [.. runs.Select(r => ReferenceMetric.Of(options.Metric, r, item.Pair, item.Clean.LastLogits).Value[0, 0])],
            Kl = [.. runs.Select(r => ReferenceMetric.Value(BuiltInMetrics.KlDivergence, r.LastLogits, item.Pair, item.Clean.LastLogits))],
            MetricGradientNorm = [.. runs.Select(r =>
            {
                item.DifferentiateLoss(r, options.Metric);
                return r.Embedding.GradientOrZero.Norm();
            })],
            OutputDistance = [.. runs.Select(r => RealMatrix.Difference(r.Logits.Value, Target(item, fromClean).Logits.Value).Norm())],
            ObjectiveDistance = [.. runs.Select(r => Math.Sqrt(Objective(r, item, fromClean, options).Value[0, 0]))],
            DistanceFromClean = [.. points.Select(p => RealMatrix.Difference(p, item.CleanEmbedding).Norm())],
            DistanceFromCorrupted = [.. points.Select(p => RealMatrix.Difference(p, item.CorruptedEmbedding).Norm())],
            ObjectiveGradientNorm = [.. gradientNorms],
            Step = StepLength(item, options),
        };
    }

    private static ReferenceRun Target(ReferenceItem item, bool fromClean) => fromClean ? item.Corrupted : item.Clean;

    private static double StepLength(ReferenceItem item, ReferenceOptions options) => options.Eta == ReferenceEta.One
        ? 1
        : RealMatrix.Difference(item.CleanEmbedding, item.CorruptedEmbedding).Norm() / options.Steps;
}
