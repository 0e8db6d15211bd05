using Gradpath.Gpt2Runtime.Model;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Runs;

/// <summary>Runs a batch's clean and corrupted prompts as the two copies of one forward pass, and judges both.</summary>
internal sealed class PairRun : ResourceOwner
{
    private readonly RunContext _context;
    private readonly OutputHead _head;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="context">The run.</param>
    /// <param name="spans">The largest batch.</param>
    /// <param name="answerOnly">Whether the last layer is only needed at the answer positions.</param>
    /// <param name="head">The metric; used, not owned.</param>
    public PairRun(RunContext context, PromptSpan[] spans, bool answerOnly, OutputHead head)
    {
        _context = context;
        _head = head;
        var two = PassCapacity.For(spans, 2, answerOnly);
        Activations = Own(new Activations(context.Config, context.Device, two, keepWriters: true));
        Prompts = Own(new PromptEmbeddings(context.Weights, two.Rows / 2));
        Embeddings = Own(context.Device.Allocate(two.Rows, context.Config.Width));
        First = new PatchTarget(Embeddings, Activations.Writers, [.. Activations.Boundaries.Select(b => b.Residual)]);
        if (spans.Any(s => s.Prefix > 0)) Activations.Prefix = Prefix = new PrefixKeys(context.Weights, spans);
    }

    /// <summary>Activations of both copies.</summary>
    public Activations Activations { get; }

    /// <summary>Keys and values in front of the batch's spans; null where whole prompts are run.</summary>
    public PrefixKeys? Prefix { get; private set; }

    /// <summary>The token embeddings of the batch.</summary>
    public PromptEmbeddings Prompts { get; }

    /// <summary>[2 rows, D]: the embeddings of both copies.</summary>
    public Tensor Embeddings { get; }

    /// <summary>What copy 0 has left, as what replaces writers' outputs.</summary>
    public PatchTarget First { get; }

    /// <summary>Runs a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="both">Its pass of two copies.</param>
    /// <param name="cleanCopy">The copy that holds the clean prompts: 0 or 1.</param>
    /// <returns>The metric of both runs.</returns>
    public PairMetrics Run(PairBatch batch, PassShape both, int cleanCopy = 0)
    {
        int items = batch.Items.Length;
        Load(batch);
        (Tensor first, Tensor second) = cleanCopy == 0 ? (Prompts.Clean, Prompts.Corrupted) : (Prompts.Corrupted, Prompts.Clean);
        RunCopies(both, first, second, cleanCopy);
        return new PairMetrics(_head.Values.AsSpan(cleanCopy * items, items), _head.Values.AsSpan((1 - cleanCopy) * items, items));
    }

    /// <summary>Takes a batch: its embeddings, its prefixes, and its items to the metric.</summary>
    /// <param name="batch">The batch.</param>
    public void Load(PairBatch batch)
    {
        Prompts.Load(batch);
        _head.SetItems(batch.Pairs, batch.Items);
        if (Prefix is not null && batch.PrefixSpans.Length > 0)
            Prefix.Run(_context.Forward, _context.Shapes.Get(batch.PrefixSpans, 1, false), batch.PrefixTokens);
    }

    /// <summary>Runs two embeddings of the batch's prompts, after <see cref="Load"/>.</summary>
    /// <param name="both">The batch's pass of two copies.</param>
    /// <param name="first">[rows, D]: the embeddings of copy 0.</param>
    /// <param name="second">[rows, D]: those of copy 1.</param>
    /// <param name="cleanCopy">The copy that holds the clean prompts; -1 where neither does and the metric's reference is known.</param>
    public void RunCopies(PassShape both, Tensor first, Tensor second, int cleanCopy)
    {
        long length = (long)both.BaseRows * _context.Config.Width;
        _context.Device.CopyBlock(first, 0, Embeddings, 0, length);
        _context.Device.CopyBlock(second, 0, Embeddings, length, length);
        _context.Forward.Embed(both, Activations, Embeddings);
        _context.Forward.Run(both, Activations);
        _head.Evaluate(both, Activations, cleanCopy);
    }

    /// <summary>Takes the writers' outputs of a copy.</summary>
    /// <param name="both">The pass.</param>
    /// <param name="copy">Index of the copy.</param>
    /// <param name="outputs">Out.</param>
    public void TakeWriters(PassShape both, int copy, WriterOutputs outputs) => outputs.Take(both, Activations, Embeddings, copy);

    /// <summary>Hands the prefixes' keys and values over to somebody who outlives this object. No batch can be run after that.</summary>
    /// <returns>What the caller now owns, or null where whole prompts are run.</returns>
    public PrefixKeys? ReleasePrefix()
    {
        PrefixKeys? prefix = Prefix;
        Prefix = null;
        return prefix;
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        Prefix?.Dispose();
        base.Dispose();
    }
}
