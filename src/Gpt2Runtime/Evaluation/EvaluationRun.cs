using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>Circuits judged batch after batch.</summary>
internal static class EvaluationRun
{
    /// <summary>Evaluates circuits on a batch: the items' places in the outcomes are filled, and how many outcomes more there are is
    /// told.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="outcomes">Those of the full model, of the empty circuit and of each circuit.</param>
    /// <param name="advance">Told.</param>
    public delegate void Runner(PairBatch batch, OutcomeTally[] outcomes, Action<int> advance);

    /// <summary>Evaluates circuits on every batch.</summary>
    /// <param name="run">What the device is taken for.</param>
    /// <param name="context">The run.</param>
    /// <param name="parts">The items' parts.</param>
    /// <param name="circuits">How many circuits.</param>
    /// <param name="runner">What runs them.</param>
    /// <returns>The outcomes.</returns>
    public static EvaluationResult Of(DeviceRun run, RunContext context, AnswerParts parts, int circuits, Runner runner)
    {
        OutcomeTally[] outcomes = [.. Enumerable.Range(0, circuits + 2).Select(_ => new OutcomeTally(parts.Pairs.Count))];
        long done = 0;
        long total = (long)parts.Pairs.Count * outcomes.Length;
        foreach (int[] items in context.Plan.Batches)
        {
            using PairBatch batch = context.Batch(items);
            context.Report(done, total, "circuits");
            runner(batch, outcomes, count =>
            {
                done += (long)count * items.Length;
                context.Report(done, total, "circuits");
            });
        }
        CircuitOutcome[] finished = Array.ConvertAll(outcomes, outcome => outcome.Finish(parts));
        return new EvaluationResult(finished[0], finished[1], finished[2..], context.Plan.Summary, run.PeakBytes);
    }
}
