using Gradpath.Diagnostics.Ops;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Diagnostics.SelfTest;

/// <summary>A kernel of the matrix product or of the edge contraction, in every way in which it is launched.</summary>
/// <param name="Kernel">The entry point.</param>
/// <param name="Arithmetic">How it multiplies.</param>
/// <param name="Variants">What is called.</param>
internal sealed record ForcedPlan(string Kernel, GemmArithmetic Arithmetic, IReadOnlyList<PlanVariant> Variants)
{
    // Even: operands start where copies of 16 bytes are possible.
    private const int Seed = 2;

    /// <summary>Whether it is for compute capability 9.0 alone.</summary>
    public bool NeedsSm90a { get; init; }

    /// <summary>Runs all variants on a trusted device and, as planned here, on a GPU.</summary>
    /// <param name="reference">The device that is trusted.</param>
    /// <param name="device">The GPU.</param>
    public ComparisonLine Compare(Device reference, CudaDevice device)
    {
        (GemmArithmetic arithmetic, Func<GemmShape, GemmPlan>? plan) = (device.Arithmetic, device.ForcedPlan);
        MatrixPrecision precision = Arithmetic switch
        {
            GemmArithmetic.Tf32 => MatrixPrecision.Tf32,
            GemmArithmetic.Bf16 => MatrixPrecision.BFloat16,
            _ => MatrixPrecision.Float32,
        };
        double largest = 0, allowed = 0;
        string? fault = null;
        try
        {
            device.Arithmetic = Arithmetic;
            foreach (PlanVariant variant in Variants)
            {
                device.ForcedPlan = variant.Plan;
                OpOutcome outcome = OpComparison.Run(variant.Check, reference, device, [Seed], precision);
                (largest, allowed) = (Math.Max(largest, outcome.LargestError), outcome.Allowed);
                fault ??= outcome.Fault is { } found ? $"{variant.Check.Op}: {found}" : null;
            }
        }
        finally
        {
            (device.Arithmetic, device.ForcedPlan) = (arithmetic, plan);
        }
        return new ComparisonLine(Kernel, Variants.Count, largest, allowed, fault);
    }
}
