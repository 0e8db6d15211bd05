using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// What replaces a writer's output: its corrupted output, zero, or its mean over the data set's clean prompts at the same position.
/// </summary>
internal sealed class AblationTargets : IDisposable
{
    private readonly ScoringContext _context;
    private readonly WriterOutputs? _means;

    /// <summary>Sets up the target; for means it runs the model over all clean prompts.</summary>
    /// <param name="context">The run.</param>
    /// <param name="pairs">All items; for means of one length, which <see cref="AttributionChecks"/> sees to.</param>
    /// <param name="answerOnly">Whether passes need the last layer at the answer positions alone.</param>
    public AblationTargets(ScoringContext context, IReadOnlyList<PromptPair> pairs, bool answerOnly)
    {
        _context = context;
        if (context.Options.Ablation == Ablation.MeanPositional) _means = Means(context, pairs, answerOnly);
    }

    /// <summary>difference = target - clean, weighted by the items' weights.</summary>
    /// <param name="shape">A pass whose first copy the outputs are.</param>
    /// <param name="clean">The clean run's outputs.</param>
    /// <param name="corrupted">The corrupted run's outputs.</param>
    /// <param name="difference">Out; may be <paramref name="corrupted"/>.</param>
    public void Difference(PassShape shape, WriterOutputs clean, WriterOutputs corrupted, WriterOutputs difference)
    {
        switch (_context.Options.Ablation)
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

    /// <summary>The target itself, one row per row of the batch.</summary>
    /// <param name="shape">A pass whose first copy it is.</param>
    /// <param name="corrupted">The corrupted run's outputs.</param>
    /// <param name="target">Out; may be <paramref name="corrupted"/>.</param>
    public void Target(PassShape shape, WriterOutputs corrupted, WriterOutputs target)
    {
        if (_context.Options.Ablation == Ablation.MeanPositional) target.Repeat(shape, _means!);
        else target.Combine(shape, _context.Options.Ablation == Ablation.Patching ? 1 : 0, corrupted, 0, corrupted);
    }

    /// <inheritdoc />
    public void Dispose() => _means?.Dispose();

    private static WriterOutputs Means(ScoringContext context, IReadOnlyList<PromptPair> pairs, bool answerOnly)
    {
        int length = pairs[0].Length;
        Device device = context.Device;
        var one = PassCapacity.For([length], 1, answerOnly);
        var means = new WriterOutputs(context.Config, device, one);
        int[] lengths = [.. Enumerable.Repeat(length, context.Plan.Size)];
        using var a = new Activations(context.Config, device, PassCapacity.For(lengths, 1, answerOnly), keepWriters: true);
        using Tensor embeddings = device.Allocate(lengths.Length * length, context.Config.Width);
        foreach (int[] items in context.Plan.Batches)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            using var batch = new ScoringBatch(device, pairs, items, new double[pairs.Count]);
            using var shape = new PassShape(device, batch.Spans, 1, answerOnly);
            device.GatherRows(context.Weights.TokenEmbedding, batch.CleanTokens, batch.Rows, context.Config.Width, embeddings);
            context.Forward.Embed(shape, a, embeddings);
            context.Forward.Run(shape, a);
            means.AddItems(shape, a, embeddings, 1f / pairs.Count);
        }
        return means;
    }
}
