using Gradpath.Gpt2Runtime.Model;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>Token embeddings of a batch's clean and corrupted prompts, and points between them.</summary>
internal sealed class PromptEmbeddings : IDisposable
{
    private readonly ScoringContext _context;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="context">The run.</param>
    /// <param name="rows">Rows of the largest batch.</param>
    public PromptEmbeddings(ScoringContext context, int rows)
    {
        _context = context;
        Clean = context.Device.Allocate(rows, context.Config.Width);
        Corrupted = context.Device.Allocate(rows, context.Config.Width);
        Point = context.Device.Allocate(rows, context.Config.Width);
    }

    /// <summary>Clean token embedding [rows, D].</summary>
    public Tensor Clean { get; }

    /// <summary>Corrupted token embedding [rows, D].</summary>
    public Tensor Corrupted { get; }

    /// <summary>A point of a path, or scratch [rows, D].</summary>
    public Tensor Point { get; }

    /// <summary>Looks up both prompts.</summary>
    /// <param name="batch">The batch.</param>
    public void Load(ScoringBatch batch)
    {
        Tensor table = _context.Weights.TokenEmbedding;
        int d = _context.Config.Width;
        _context.Device.GatherRows(table, batch.CleanTokens, batch.Rows, d, Clean);
        _context.Device.GatherRows(table, batch.CorruptedTokens, batch.Rows, d, Corrupted);
    }

    /// <summary>Writes corrupted + share (clean - corrupted) as one copy of a pass's embeddings.</summary>
    /// <param name="share">Share of the clean embedding; 0 and 1 are exact.</param>
    /// <param name="rows">Rows of one copy.</param>
    /// <param name="target">Embeddings of all copies.</param>
    /// <param name="copy">Index of the copy.</param>
    public void Interpolate(double share, int rows, Tensor target, int copy)
    {
        long length = (long)rows * _context.Config.Width;
        Tensor source = share == 1 ? Clean : share == 0 ? Corrupted : Point;
        if (share is not (0 or 1)) _context.Device.Combine((float)share, Clean, (float)(1 - share), Corrupted, length, Point);
        _context.Device.CopyBlock(source, 0, target, copy * length, length);
    }

    /// <summary>Euclidean distance of a point from the clean or corrupted embedding per item.</summary>
    /// <param name="shape">A pass of one copy.</param>
    /// <param name="point">[rows, D].</param>
    /// <param name="from">[rows, D].</param>
    /// <param name="scratch">[rows, D], overwritten.</param>
    /// <returns>[items].</returns>
    public double[] Distance(PassShape shape, Tensor point, Tensor from, Tensor scratch)
    {
        _context.Device.Combine(1, point, -1, from, (long)shape.Rows * _context.Config.Width, scratch);
        return Norms(shape, scratch);
    }

    /// <summary>Euclidean norm per sequence.</summary>
    /// <param name="shape">The pass.</param>
    /// <param name="x">[rows, D].</param>
    /// <returns>[sequences].</returns>
    public double[] Norms(PassShape shape, Tensor x)
    {
        using DeviceArray<double> squares = _context.Device.AllocateArray<double>(shape.Sequences);
        _context.Device.SequenceDots(x, x, shape.All, _context.Config.Width, squares);
        return [.. squares.ToArray().Select(Math.Sqrt)];
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Clean.Dispose();
        Corrupted.Dispose();
        Point.Dispose();
    }
}
