using Gradpath.Gpt2Runtime.Model;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Runs;

/// <summary>
/// What replaces a writer's output: its corrupted output, zero, or its mean over the data set's clean prompts at the same position.
/// </summary>
internal sealed class AblationTargets : IDisposable
{
    private readonly RunContext _context;
    private readonly bool _answerOnly;
    private readonly WriterOutputs? _means;
    private WriterOutputs? _outputs;

    /// <summary>
    /// Sets up the target. For means it runs the model over all clean prompts, which <see cref="PairChecks"/> has found to be of one
    /// length.
    /// </summary>
    /// <param name="context">The run.</param>
    /// <param name="answerOnly">Whether passes need the last layer at the answer positions alone.</param>
    public AblationTargets(RunContext context, bool answerOnly)
    {
        (_context, _answerOnly) = (context, answerOnly);
        if (context.Ablation == Ablation.MeanPositional) _means = Means(context, answerOnly);
    }

    /// <summary>difference = target - clean.</summary>
    /// <param name="shape">A pass whose first copy the outputs are.</param>
    /// <param name="clean">The clean run's outputs.</param>
    /// <param name="corrupted">The corrupted run's outputs.</param>
    /// <param name="difference">Out; may be <paramref name="corrupted"/>.</param>
    public void Difference(PassShape shape, WriterOutputs clean, WriterOutputs corrupted, WriterOutputs difference)
    {
        switch (_context.Ablation)
        {
            case Ablation.Patching:
                difference.Combine(shape, 1, corrupted, -1, clean);
                break;
            case Ablation.Zero:
                difference.Combine(shape, -1, clean, 0, clean);
                break;
            default:
                Target(shape, corrupted, difference);
                difference.Combine(shape, 1, difference, -1, clean);
                break;
        }
    }

    /// <summary>What replaces writers' outputs in patched passes; for patching it is what the corrupted run has left.</summary>
    /// <param name="pair">A run with the corrupted prompts as copy 0; what comes back is good until the next.</param>
    /// <param name="both">Its pass.</param>
    /// <param name="one">The same, one copy.</param>
    /// <returns>The target.</returns>
    public PatchTarget After(PairRun pair, PassShape both, PassShape one)
    {
        if (_context.Ablation == Ablation.Patching) return pair.First;
        _outputs ??= new WriterOutputs(_context.Config, _context.Device, PassCapacity.For(_context.Largest, 1, _answerOnly));
        pair.TakeWriters(both, 0, _outputs);
        Target(one, _outputs, _outputs);
        return _outputs.Target;
    }

    /// <summary>The target itself, one row per row of the batch.</summary>
    /// <param name="shape">A pass whose first copy it is.</param>
    /// <param name="corrupted">The corrupted run's outputs.</param>
    /// <param name="target">Out; may be <paramref name="corrupted"/>.</param>
    public void Target(PassShape shape, WriterOutputs corrupted, WriterOutputs target)
    {
        if (_context.Ablation == Ablation.MeanPositional) target.Repeat(shape, _means!);
        else if (_context.Ablation == Ablation.Zero) target.Combine(shape, 0, corrupted, 0, corrupted);
        else if (target != corrupted) target.Combine(shape, 1, corrupted, 0, corrupted);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _means?.Dispose();
        _outputs?.Dispose();
    }

    private static WriterOutputs Means(RunContext context, bool answerOnly)
    {
        int length = context.Pairs[0].Length;
        Device device = context.Device;
        var one = PassCapacity.For([length], 1, answerOnly);
        var means = new WriterOutputs(context.Config, device, one);
        means.Blocks.Clear();
        int[] lengths = [.. Enumerable.Repeat(length, context.Plan.Size)];
        using var a = new Activations(context.Config, device, PassCapacity.For(lengths, 1, answerOnly), keepWriters: true);
        using Tensor embeddings = device.Allocate(lengths.Length * length, context.Config.Width);
        foreach (int[] items in context.Plan.Batches)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            using var batch = new PairBatch(device, context.Pairs, items);
            using var shape = new PassShape(device, batch.Spans, 1, answerOnly);
            device.GatherRows(context.Weights.TokenEmbedding, batch.CleanTokens, batch.Rows, context.Config.Width, embeddings);
            context.Forward.Embed(shape, a, embeddings);
            context.Forward.Run(shape, a);
            means.AddItems(shape, a, embeddings, 1f / context.Pairs.Count);
        }
        return means;
    }
}
