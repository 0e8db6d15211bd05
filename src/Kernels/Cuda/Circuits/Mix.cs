using Gradpath.Kernels.Circuits;

namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    private Kernel? _mixInputs;

    private protected override void MixInputsCore(
        Tensor baseline, Tensor total, Tensor differences, in MixPlan plan, int inputs, int rows, int width, Tensor output)
    {
        RowSplit split = RowSplit.Of(width, baseline.Address, total.Address, differences.Address, output.Address);
        Launch(
            Load(ref _mixInputs, "Mix", "mixInputs"),
            split.Blocks((long)inputs * rows),
            split.Threads,
            0,
            baseline,
            total,
            differences,
            plan.Copy,
            plan.TakesTotal,
            plan.Start,
            plan.Slot,
            inputs,
            rows,
            split.Parts,
            width,
            split.Quads,
            output);
    }
}
