using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>Judges circuits by what they hand to the logits: by a metric, and by how far they are from the full model.</summary>
internal sealed class CircuitJudge : ResourceOwner
{
    private readonly Metric _judgedBy;
    private readonly OutputHead _kl;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="metric">What judges circuits beside the KL divergence.</param>
    /// <param name="items">Prompts of the largest batch.</param>
    /// <param name="answers">The most rows that are judged at once.</param>
    public CircuitJudge(Gpt2Weights weights, Metric metric, int items, int answers)
    {
        _judgedBy = metric;
        Head = Own(new OutputHead(weights, metric, items, answers));
        _kl = Own(new OutputHead(weights, BuiltInMetrics.KlDivergence, items, answers));
    }

    /// <summary>The metric.</summary>
    public OutputHead Head { get; }

    /// <summary>Allocates what judging takes on the way.</summary>
    /// <param name="rows">The most rows that are judged at once.</param>
    public void Rehearse(int rows) => _kl.MostProbable(rows);

    /// <summary>Takes the full model's run, a copy of a pass, to compare with.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="both">Its pass of two copies.</param>
    /// <param name="activations">The pass's activations.</param>
    /// <param name="cleanCopy">The copy that holds the full model's run: 0 or 1.</param>
    /// <returns>The full model's most probable token of each prompt.</returns>
    public int[] Compare(PairBatch batch, PassShape both, Activations activations, int cleanCopy)
    {
        _kl.SetItems(batch.Pairs, batch.Items);
        _kl.Evaluate(both, activations, cleanCopy);
        return _kl.MostProbable(both.Sequences)[(cleanCopy * both.Items)..((cleanCopy + 1) * both.Items)];
    }

    /// <summary>Judges runs.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="answers">[runs * items, D]: their inputs of the logits at the answer rows.</param>
    /// <param name="fullTokens">What <see cref="Compare"/> gave.</param>
    /// <param name="outcomes">The items' places in the outcome of each run are filled.</param>
    public void Judge(PairBatch batch, Tensor answers, int[] fullTokens, ReadOnlySpan<OutcomeTally> outcomes)
    {
        int items = batch.Items.Length;
        int rows = outcomes.Length * items;
        Head.EvaluateRows(answers, rows);
        _kl.EvaluateRows(answers, rows);
        int[] tokens = _kl.MostProbable(rows);
        for (int r = 0; r < rows; r++)
        {
            OutcomeTally outcome = outcomes[r / items];
            int i = r % items;
            int item = batch.Items[i];
            outcome.Metric[item] = Head.Values[r];
            outcome.Kl[item] = _kl.Values[r];
            outcome.ExactMatch[item] = tokens[r] == fullTokens[i];
            outcome.Accurate[item] = Accurate(batch.Pairs[i], Head.Values[r], tokens[r]);
        }
    }

    private bool? Accurate(PromptPair pair, double metric, int mostProbable) =>
        _judgedBy.PositiveIsRight ? metric > 0 : pair.Answers.Length == 0 ? null : pair.Answers.Contains(mostProbable);
}
