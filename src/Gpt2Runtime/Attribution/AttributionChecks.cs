using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>Refuses options that contradict each other, and items that cannot be scored, before any work is done.</summary>
internal static class AttributionChecks
{
    /// <summary>Checks everything.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="pairs">Items.</param>
    /// <param name="options">Method and settings.</param>
    /// <exception cref="GradpathException">Names the item or option and says what would be right.</exception>
    public static void Check(Gpt2Config config, IReadOnlyList<PromptPair> pairs, AttributionOptions options)
    {
        if (options.Steps < 1) throw new GradpathException($"--steps must be at least 1, not {options.Steps}");
        if (options.Normalization == ScoreNormalization.Library && options.BatchSize == 0)
        {
            throw new GradpathException("--normalization library depends on the batch size: give --batch-size too");
        }
        if (options.PathNorm == PathNorm.Batch && options.Method == AttributionMethod.EapGp && options.BatchSize == 0)
        {
            throw new GradpathException("--path-norm batch depends on the batch size: give --batch-size too");
        }
        bool ablates = options.Method is AttributionMethod.Eap or AttributionMethod.EapIgActivations or AttributionMethod.Exact;
        if (options.Ablation != Ablation.Patching && !ablates)
        {
            throw new GradpathException("--ablation zero and mean-positional apply to eap, eap-ig-activations and exact only");
        }
        bool walks = options.Method is AttributionMethod.Eap or AttributionMethod.EapIg or AttributionMethod.CleanCorrupted or AttributionMethod.EapGp;
        if (options.RecordPath && !walks) throw new GradpathException("a path can be recorded for eap, eap-ig, clean-corrupted and eap-gp only");
        if (options is { Method: AttributionMethod.EapGp, PathObjective: PathObjective.Metric, PathStart: PathStart.Clean, Metric: TaskMetric.KlDivergence })
        {
            throw new GradpathException(
                "--path-objective metric cannot start at the clean prompt with --metric kl: the divergence has its minimum there, so no direction leads away; use --path-start corrupted or another objective");
        }
        PairChecks.Check(config, pairs, options.Method.HasMetric() ? options.Metric : null, options.Ablation, options.BatchSize);
    }
}
