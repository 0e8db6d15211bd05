namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    private Kernel? _geluTanh, _geluErf, _relu, _silu, _quickGelu, _tanh, _ratios, _multiplyRows;

    private protected override void ActivateCore(ActivationFunction function, Tensor x, long length, Tensor output)
    {
        Kernel kernel = function switch
        {
            ActivationFunction.GeluTanh => Load(ref _geluTanh, "Activation", "geluTanh"),
            ActivationFunction.GeluErf => Load(ref _geluErf, "Activation", "geluErf"),
            ActivationFunction.Silu => Load(ref _silu, "Activation", "silu"),
            ActivationFunction.QuickGelu => Load(ref _quickGelu, "Activation", "quickGelu"),
            ActivationFunction.Tanh => Load(ref _tanh, "Activation", "tanhyp"),
            _ => Load(ref _relu, "Activation", "relu"),
        };
        bool quads = RowSplit.Aligned(x.Address, output.Address);
        Launch(kernel, RunBlocks(length, quads), RunThreads, 0, x, length, quads, output);
    }

    private protected override void RatiosCore(Tensor x, Tensor y, float atZero, long length)
    {
        bool quads = RowSplit.Aligned(x.Address, y.Address);
        Launch(Load(ref _ratios, "Activation", "ratios"), RunBlocks(length, quads), RunThreads, 0, x, y, atZero, length, quads);
    }

    private protected override void MultiplyRowsCore(Tensor gradient, Tensor derivative, int rows, int activationRows, int width)
    {
        RowSplit split = RowSplit.Of(width, gradient.Address, derivative.Address);
        Launch(
            Load(ref _multiplyRows, "Activation", "multiplyRows"), split.Blocks(rows), split.Threads, 0, gradient, derivative,
            activationRows, split.Parts, width, split.Quads);
    }
}
