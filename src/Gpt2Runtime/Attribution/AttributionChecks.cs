using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>Refuses items and options that cannot be scored, before any work is done.</summary>
internal static class AttributionChecks
{
    /// <summary>Checks everything.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="pairs">Items.</param>
    /// <param name="options">Method and settings.</param>
    /// <exception cref="GradpathException">Names the item or option and says what would be right.</exception>
    public static void Check(Gpt2Config config, IReadOnlyList<PromptPair> pairs, AttributionOptions options)
    {
        if (pairs.Count == 0) throw new GradpathException("there are no prompt pairs to score");
        if (options.Steps < 1) throw new GradpathException($"--steps must be at least 1, not {options.Steps}");
        if (options.BatchSize < 0) throw new GradpathException($"--batch-size must be positive, not {options.BatchSize}");
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
        for (int i = 0; i < pairs.Count; i++) CheckPair(config, pairs[i], i + 1, options);
        if (options.Ablation == Ablation.MeanPositional) CheckOneLength(pairs);
    }

    private static void CheckOneLength(IReadOnlyList<PromptPair> pairs)
    {
        for (int i = 0; i < pairs.Count; i++)
        {
            if (pairs[i].Length == pairs[0].Length) continue;
            throw new GradpathException(
                $"--ablation mean-positional needs prompts of one length: item {i + 1} has {pairs[i].Length} tokens, item 1 has {pairs[0].Length}; use patching or zero, or select prompts of one length");
        }
    }

    private static void CheckPair(Gpt2Config config, PromptPair pair, int number, AttributionOptions options)
    {
        string name = pair.Id is null ? $"item {number}" : $"item {number} ({pair.Id})";
        if (pair.Clean.Length != pair.Corrupted.Length)
        {
            throw new GradpathException(
                $"{name}: the clean prompt has {pair.Clean.Length} tokens and the corrupted one {pair.Corrupted.Length}; both must have the same number ({Quote(pair.CleanText)} / {Quote(pair.CorruptedText)})");
        }
        if (pair.Length == 0) throw new GradpathException($"{name}: the prompts are empty");
        if (pair.Length > config.Positions)
        {
            throw new GradpathException($"{name}: {pair.Length} tokens, but the model has {config.Positions} positions; shorten the prompt");
        }
        CheckIds(pair.Clean, "clean prompt");
        CheckIds(pair.Corrupted, "corrupted prompt");
        CheckIds(pair.Answers, "answers");
        CheckIds(pair.WrongAnswers, "wrong answers");
        bool judged = options.Method.HasMetric() && options.Metric != TaskMetric.KlDivergence;
        if (judged && (pair.Answers.Length == 0 || pair.WrongAnswers.Length == 0))
        {
            throw new GradpathException($"{name}: the metric compares right with wrong answers and needs at least one of each");
        }

        void CheckIds(int[] ids, string where)
        {
            foreach (int id in ids)
            {
                if ((uint)id >= (uint)config.Vocabulary)
                {
                    throw new GradpathException($"{name}: token id {id} in the {where} is outside the model's vocabulary of {config.Vocabulary}");
                }
            }
        }
    }

    private static string Quote(string? text) => text is null ? "token ids" : '"' + text + '"';
}
