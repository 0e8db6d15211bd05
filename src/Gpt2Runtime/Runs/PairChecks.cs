using System.Collections.Immutable;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Metrics;

namespace Gradpath.Gpt2Runtime.Runs;

/// <summary>Refuses prompt pairs that a model cannot run or a metric cannot judge, before any work is done.</summary>
internal static class PairChecks
{
    /// <summary>Checks everything.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="pairs">Items.</param>
    /// <param name="metric">What judges them; null where nothing does.</param>
    /// <param name="ablation">What replaces writers' outputs.</param>
    /// <param name="batchSize">Pairs per batch; 0 where the memory decides.</param>
    /// <exception cref="GradpathException">Names the item and says what would be right.</exception>
    /// <exception cref="OptionException">The batch size is negative.</exception>
    public static void Check(Gpt2Config config, IReadOnlyList<PromptPair> pairs, Metric? metric, Ablation ablation, int batchSize)
    {
        if (pairs.Count == 0) throw new GradpathException("there are no prompt pairs");
        CheckBatchSize(batchSize);
        for (int i = 0; i < pairs.Count; i++) CheckPair(config, pairs[i], i + 1, metric);
        if (ablation == Ablation.MeanPositional) CheckOneLength(pairs);
    }

    /// <summary>Checks the number of pairs per batch.</summary>
    /// <param name="batchSize">The number; 0 where the memory decides.</param>
    /// <exception cref="OptionException">It is negative.</exception>
    public static void CheckBatchSize(int batchSize)
    {
        if (batchSize < 0)
            throw new OptionException($"{Terms.BatchSize.With(batchSize)}: must be at least 1, or 0 for as many as memory allows");
    }

    private static void CheckOneLength(IReadOnlyList<PromptPair> pairs)
    {
        for (int i = 0; i < pairs.Count; i++)
        {
            if (pairs[i].Length == pairs[0].Length) continue;
            Term mean = Terms.Ablation.With(Ablation.MeanPositional);
            string lengths = $"item {i + 1} has {pairs[i].Length} tokens, item 1 has {pairs[0].Length}";
            throw GradpathException.Worded(
                $"{mean} needs prompts of one length: {lengths}; use patching or zero, or select prompts of one length");
        }
    }

    private static void CheckPair(Gpt2Config config, PromptPair pair, int number, Metric? metric)
    {
        string name = pair.NameAt(number);
        if (pair.Clean.Length != pair.Corrupted.Length)
        {
            throw new GradpathException(
                $"{name}: the clean prompt has {pair.Clean.Length} tokens and the corrupted one {pair.Corrupted.Length}; "
                + $"both must have the same number ({Quote(pair.CleanText)} / {Quote(pair.CorruptedText)})");
        }
        if (pair.Length == 0) throw new GradpathException($"{name}: the prompts are empty");
        if (pair.Length > config.Positions)
        {
            throw new GradpathException(
                $"{name}: {pair.Length} tokens, but the model has {config.Positions} positions; shorten the prompt");
        }
        CheckIds(pair.Clean, "clean prompt");
        CheckIds(pair.Corrupted, "corrupted prompt");
        CheckIds(pair.Answers, "answers");
        CheckIds(pair.WrongAnswers, "wrong answers");
        if (pair.Contradiction() is { } contradiction) throw new GradpathException($"{name}: {contradiction}");
        if (pair.Sequences is { } sequences) CheckSequences(config, pair, sequences, name, metric);
        if (metric?.LackOf(pair) is { } lack) throw new GradpathException($"{name}: {lack}");

        void CheckIds(int[] ids, string where)
        {
            foreach (int id in ids)
            {
                if ((uint)id >= (uint)config.Vocabulary)
                {
                    throw new GradpathException(
                        $"{name}: token id {id} in the {where} is outside the model's vocabulary of {config.Vocabulary}");
                }
            }
        }
    }

    private static void CheckSequences(Gpt2Config config, PromptPair pair, AnswerSequences sequences, string name, Metric? metric)
    {
        if (metric is { NeedsAnswers: true, JudgesSequences: false })
        {
            Term judge = Terms.Metric.With(BuiltInMetrics.LogProbability);
            throw GradpathException.Worded(
                $"{name}: an answer has several tokens, which {metric} cannot judge; use {judge}, or the first tokens alone");
        }
        foreach (ImmutableArray<int> answer in sequences.Right.Concat(sequences.Wrong))
        {
            if (answer.IsDefaultOrEmpty) throw new GradpathException($"{name}: an answer has no token");
            if (answer.Any(id => (uint)id >= (uint)config.Vocabulary))
                throw new GradpathException($"{name}: an answer has a token outside the model's vocabulary of {config.Vocabulary}");
            if (pair.Length + answer.Length - 1 > config.Positions)
            {
                throw new GradpathException($"{name}: with an answer of {answer.Length} tokens behind it the prompt of {pair.Length} is "
                    + $"longer than the model's {config.Positions} positions; shorten it");
            }
        }
    }

    private static string Quote(string? text) => text is null ? "token ids" : Quoted.Text(text);
}
