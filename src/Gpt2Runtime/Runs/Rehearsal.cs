using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Model;

namespace Gradpath.Gpt2Runtime.Runs;

/// <summary>
/// How much memory a run takes, found by rehearsing it: its constructors and passes run on a batch of stand-ins while the device counts
/// what they allocate and computes nothing. A plan is made of the code that runs, so it cannot say something else.
/// </summary>
internal static class Rehearsal
{
    /// <summary>Bytes that a run takes beside the weights.</summary>
    /// <param name="model">The weights of the model, on the device that computes.</param>
    /// <param name="pairs">All items of the run.</param>
    /// <param name="batch">The spans of a batch that is at least as large as any of the run.</param>
    /// <param name="ablation">What replaces writers' outputs.</param>
    /// <param name="run">Does with a batch of stand-ins, the items 0, 1, ..., whatever allocates in the run. The context's plan has it as
    /// often as the run has batches.</param>
    /// <param name="positions">The spans of the run's tokens, of which the number is read; null where no spans are told apart.</param>
    /// <returns>The most bytes that are in use at one time.</returns>
    public static long Bytes(
        Gpt2Weights model, IReadOnlyList<PromptPair> pairs, IReadOnlyList<PromptSpan> batch, Ablation ablation,
        Action<RunContext, int[]> run, SpanTable? positions = null)
    {
        int[] answers = pairs.Select(p => p.Answers).MaxBy(a => a.Length)!;
        int[] wrong = pairs.Select(p => p.WrongAnswers).MaxBy(a => a.Length)!;
        PromptPair[] standIns = [.. batch.Select(span => new PromptPair(new int[span.Total], new int[span.Total], answers, wrong))];
        int[] items = [.. Enumerable.Range(0, batch.Count)];
        int batches = (pairs.Count + batch.Count - 1) / batch.Count;
        var plan = new BatchPlan([.. Enumerable.Repeat(items, batches)], items.Length);
        long shapes = 0;
        long bytes = model.Device.PlannedBytes(() =>
        {
            using var context = new RunContext(model, standIns, [.. batch], plan, ablation, positions: positions);
            run(context, items);
            shapes = context.Shapes.PlannedBytes();
        });

        // Batches of other lengths have layouts of their own, as many as are kept.
        return bytes + ((Math.Min(batches, PassShapes.Most) - 1) * shapes);
    }
}
