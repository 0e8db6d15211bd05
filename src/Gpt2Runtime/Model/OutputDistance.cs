using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// Squared distance of the logits at all final rows (every position, or the answers' in an answer-only pass) from a target run's, and its
/// gradient, without making a single logit: with h the final LayerNorm's output, |U h - U h'|^2 = (h - h')^T U^T U (h - h'), so a D x D
/// matrix made once per model takes the place of two products with the vocabulary. (A bias of the unembedding cancels.)
/// </summary>
internal sealed class OutputDistance : ResourceOwner
{
    private readonly Gpt2Weights _weights;
    private readonly Device _device;
    private readonly int _d;
    private readonly Tensor _gram;
    private readonly Tensor _target;
    private readonly Tensor _difference;
    private readonly Tensor _product;
    private readonly DeviceArray<double> _squares;

    /// <summary>Allocates for the largest pass and makes U^T U.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="capacity">The largest pass, all copies.</param>
    /// <param name="baseRows">Rows of the target.</param>
    public OutputDistance(Gpt2Weights weights, PassCapacity capacity, int baseRows)
    {
        _weights = weights;
        _device = weights.Device;
        _d = weights.Config.Width;
        _gram = Own(_device.AllocateZeros(_d, _d));
        _target = Own(_device.Allocate(baseRows, _d));
        _difference = Own(_device.Allocate(capacity.FinalRows, _d));
        _product = Own(_device.Allocate(capacity.FinalRows, _d));
        _squares = Own(_device.AllocateArray<double>(capacity.Sequences));
        MakeGram();
    }

    /// <summary>Remembers a copy's output as the target.</summary>
    /// <param name="shape">The pass.</param>
    /// <param name="a">Its activations.</param>
    /// <param name="copy">Index of the copy.</param>
    public void CaptureTarget(PassShape shape, Activations a, int copy)
    {
        _device.CopyBlock(a.Normed, (long)copy * shape.BaseFinalRows * _d, _target, 0, (long)shape.BaseFinalRows * _d);
    }

    /// <summary>Compares every copy with the target; the other members then speak of this pass.</summary>
    /// <param name="shape">The pass.</param>
    /// <param name="a">Its activations.</param>
    public void Compare(PassShape shape, Activations a)
    {
        int length = checked(shape.BaseFinalRows * _d);
        for (int copy = 0; copy < shape.Copies; copy++)
        {
            Matrix output = new(a.Normed, (long)copy * length, 1, length, length), target = new(_target, 0, 1, length, length);
            _device.CombineBlocks(1, output, -1, target, null, _d, new Matrix(_difference, (long)copy * length, 1, length, length));
        }
        _device.Gemm(_difference.AsMatrix(shape.FinalRows, _d), _gram.AsMatrix(), _product.AsMatrix(shape.FinalRows, _d));
    }

    /// <summary>The distance per prompt and copy.</summary>
    /// <param name="shape">The pass, with all rows at the output.</param>
    /// <param name="distances">[sequences], out; not squared.</param>
    public void Distances(PassShape shape, Span<double> distances)
    {
        _device.SequenceDots(_difference, _product, shape.All, _d, _squares);
        _squares.Download(distances);
        foreach (ref double distance in distances) distance = Math.Sqrt(Math.Max(0, distance / 2));
    }

    /// <summary>The gradient of the squared distance at the final residual stream.</summary>
    /// <param name="shape">The pass.</param>
    /// <param name="a">Its activations.</param>
    /// <param name="residualGradient">[rows, D], out.</param>
    public void Gradient(PassShape shape, Activations a, Tensor residualGradient)
    {
        var rows = new GradientRows(shape.FinalRows, shape.FinalRows, shape.FinalRows);
        Activations.Boundary output = a.Boundaries[^1];
        FinalHead.NormalizeBackward(
            _weights, _product, output.Residual, output.Mean, output.Rstd, rows, residualGradient, fresh: true);
    }

    // 2 U^T U, which makes the product the gradient. It is symmetric: the blocks on and above the diagonal are computed, the others copied
    // across.
    private void MakeGram()
    {
        const int Blocks = 4;
        Matrix u = _weights.Unembedding.AsMatrix();
        Matrix gram = _gram.AsMatrix();
        for (int i = 0; i < Blocks; i++)
        {
            for (int j = i; j < Blocks; j++)
            {
                Matrix target = gram.SliceRows(From(i), From(i + 1) - From(i)).SliceColumns(From(j), From(j + 1) - From(j));
                if (target.Rows == 0 || target.Columns == 0) continue;
                _device.Gemm(u.SliceColumns(From(i), target.Rows).T, u.SliceColumns(From(j), target.Columns), target);
            }
        }
        _device.MirrorUpperTriangle(_gram, _d);
        _device.Combine(2, _gram, 0, _gram, (long)_d * _d, _gram);

        int From(int block) => _d * block / Blocks;
    }
}
