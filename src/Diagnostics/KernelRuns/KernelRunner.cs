using Gradpath.Diagnostics.Ops;
using Gradpath.Diagnostics.SelfTest;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Diagnostics.KernelRuns;

/// <summary>Times an op or a product on a device and compares it with the CPU.</summary>
/// <param name="device">The device.</param>
/// <param name="reference">The device that is trusted.</param>
/// <param name="repeats">Calls of a round.</param>
/// <param name="cancellation">Stops between rounds.</param>
internal sealed class KernelRunner(Device device, Device reference, int repeats, CancellationToken cancellation)
{
    private const int Rounds = 7, SmallCases = 3, LargeCases = 1;

    /// <summary>Times an op at a shape.</summary>
    /// <param name="name">What it is called.</param>
    /// <param name="work">The op.</param>
    /// <param name="plan">The plan in words, where it is forced.</param>
    public KernelTiming Time(string name, OpWork work, string? plan = null)
    {
        using WorkOperands operands = new(device);
        Action call = work.Prepare(operands);

        // The first call loads kernels and lets scratch memory grow.
        device.Time(call, 1);
        double[] seconds = new double[Rounds];
        for (int i = 0; i < Rounds; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            seconds[i] = device.Time(call, repeats);
        }
        Array.Sort(seconds);
        return new KernelTiming(name, work.Shape, plan, seconds[Rounds / 2], seconds[0], work.Flops, work.Bytes);
    }

    /// <summary>Compares an op on random operands.</summary>
    /// <param name="check">The op.</param>
    public ComparisonLine Compare(OpCheck check) => Line(
        check, OpComparison.Run(check, reference, device, OpCatalog.Seeds(SmallCases, LargeCases)));

    /// <summary>Times and compares a product.</summary>
    /// <param name="product">The product.</param>
    public (KernelTiming Timing, ComparisonLine Check) Product(ProductRequest product)
    {
        if (device is not CudaDevice gpu) return Both();
        (GemmArithmetic arithmetic, Func<GemmShape, GemmPlan>? plan) = (gpu.Arithmetic, gpu.ForcedPlan);
        try
        {
            gpu.Arithmetic = product.Arithmetic ?? arithmetic;
            gpu.ForcedPlan = product.Plan;
            return Both();
        }
        finally
        {
            (gpu.Arithmetic, gpu.ForcedPlan) = (arithmetic, plan);
        }

        (KernelTiming, ComparisonLine) Both() => (
            Time(product.Name, product.Work, product.PlanWords),
            Line(product.Check, OpComparison.Run(product.Check, reference, device, [ProductRequest.Seed], product.Precision(device))));
    }

    private static ComparisonLine Line(OpCheck check, OpOutcome outcome) =>
        new(check.Op, outcome.Cases, outcome.LargestError, outcome.Allowed, outcome.Fault);
}
