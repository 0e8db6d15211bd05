using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Runs;

/// <summary>Token embeddings of a batch's clean and corrupted prompts, and points between them.</summary>
internal sealed class PromptEmbeddings : ResourceOwner
{
    private readonly Gpt2Weights _weights;
    private readonly Device _device;
    private readonly int _d;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="rows">Rows of the largest batch.</param>
    public PromptEmbeddings(Gpt2Weights weights, int rows)
    {
        _weights = weights;
        _device = weights.Device;
        _d = weights.Config.Width;
        Clean = Own(_device.Allocate(rows, _d));
        Corrupted = Own(_device.Allocate(rows, _d));
        Point = Own(_device.Allocate(rows, _d));
    }

    /// <summary>Clean token embedding [rows, D].</summary>
    public Tensor Clean { get; }

    /// <summary>Corrupted token embedding [rows, D].</summary>
    public Tensor Corrupted { get; }

    /// <summary>A point of a path, or scratch [rows, D].</summary>
    public Tensor Point { get; }

    /// <summary>Looks up both prompts.</summary>
    /// <param name="batch">The batch.</param>
    public void Load(PairBatch batch)
    {
        _device.GatherRows(_weights.TokenEmbedding, batch.CleanTokens, batch.Rows, _d, Clean);
        _device.GatherRows(_weights.TokenEmbedding, batch.CorruptedTokens, batch.Rows, _d, Corrupted);
    }

    /// <summary>Writes corrupted + share (clean - corrupted) as one copy of a pass's embeddings.</summary>
    /// <param name="share">Share of the clean embedding; 0 and 1 are exact.</param>
    /// <param name="rows">Rows of one copy.</param>
    /// <param name="target">Embeddings of all copies.</param>
    /// <param name="copy">Index of the copy.</param>
    public void Interpolate(double share, int rows, Tensor target, int copy)
    {
        long length = (long)rows * _d;
        if (share is 0 or 1)
        {
            _device.CopyBlock(share == 1 ? Clean : Corrupted, 0, target, copy * length, length);
            return;
        }
        Matrix clean = Clean.AsMatrix(rows, _d), corrupted = Corrupted.AsMatrix(rows, _d);
        var point = new Matrix(target, copy * length, rows, _d, _d);
        _device.CombineBlocks((float)share, clean, (float)(1 - share), corrupted, null, _d, point);
    }

    /// <summary>Euclidean distance of a point from the clean or corrupted embedding per item.</summary>
    /// <param name="shape">A pass of one copy.</param>
    /// <param name="point">[rows, D].</param>
    /// <param name="from">[rows, D].</param>
    /// <param name="scratch">[rows, D], overwritten.</param>
    /// <returns>[items].</returns>
    public double[] Distance(PassShape shape, Tensor point, Tensor from, Tensor scratch)
    {
        _device.Combine(1, point, -1, from, (long)shape.Rows * _d, scratch);
        return Norms(shape, scratch);
    }

    /// <summary>Euclidean norm per sequence.</summary>
    /// <param name="shape">The pass.</param>
    /// <param name="x">[rows, D].</param>
    /// <returns>[sequences].</returns>
    public double[] Norms(PassShape shape, Tensor x)
    {
        using DeviceArray<double> squares = _device.AllocateArray<double>(shape.Sequences);
        _device.SequenceDots(x, x, shape.All, _d, squares);
        return [.. squares.ToArray().Select(Math.Sqrt)];
    }
}
