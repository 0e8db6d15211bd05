using Gradpath.Kernels.Circuits;

namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    private Kernel? _mixInputs, _takeDifferences;

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
            At(plan.Copy, plan.First),
            At(plan.TakesTotal, plan.First),
            At(plan.Start, plan.First),
            plan.Slot,
            inputs,
            rows,
            split.Parts,
            width,
            split.Quads,
            output);
    }

    private protected override void TakeDifferencesCore(
        Tensor outputs, Tensor target, in DifferencePlan plan, int rows, int width, Tensor slots, Tensor totals, Tensor? from)
    {
        RowSplit split = RowSplit.Of(width, outputs.Address, target.Address, slots.Address, totals.Address, from?.Address ?? 0);
        Launch(
            Load(ref _takeDifferences, "Mix", "takeDifferences"),
            split.Blocks((long)plan.Count * rows),
            split.Threads,
            0,
            outputs,
            target,
            At(plan.Numbers, 2 * plan.First),
            rows,
            split.Parts,
            width,
            split.Quads,
            slots,
            totals,
            from);
    }

    private static nint At(DeviceArray<int> numbers, int first) => numbers.Address + (nint)((long)first * sizeof(int));
}
