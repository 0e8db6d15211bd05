using Gradpath.Diagnostics.Ops;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;

namespace Gradpath.Diagnostics.SelfTest;

/// <summary>Every op and every method on one device against another.</summary>
internal static class DeviceComparison
{
    /// <summary>Compares ops.</summary>
    /// <param name="reference">The device that is trusted.</param>
    /// <param name="device">The device under test.</param>
    /// <param name="cases">Random cases per op; a third of them large.</param>
    /// <param name="progress">Told after each op; may be null.</param>
    /// <param name="cancellation">Stops the comparison.</param>
    public static IReadOnlyList<ComparisonLine> Ops(
        Device reference, Device device, int cases, IProgress<RunProgress>? progress, CancellationToken cancellation)
    {
        int[] seeds = OpCatalog.Seeds(cases - (cases / 3), cases / 3);
        return Each(OpCatalog.Checks, progress, check =>
        {
            OpOutcome outcome = OpComparison.Run(check, reference, device, seeds.TakeWhile(_ => !cancellation.IsCancellationRequested));
            cancellation.ThrowIfCancellationRequested();
            return new ComparisonLine(check.Op, outcome.Cases, outcome.LargestError, outcome.Allowed, outcome.Fault);
        });
    }

    /// <summary>Compares methods, on a tiny model. On the device under test each runs twice, which must give the same bits.</summary>
    /// <param name="reference">The device that is trusted.</param>
    /// <param name="device">The device under test.</param>
    /// <param name="progress">Told after each method; may be null.</param>
    /// <param name="cancellation">Stops the comparison.</param>
    public static IReadOnlyList<ComparisonLine> Methods(
        Device reference, Device device, IProgress<RunProgress>? progress, CancellationToken cancellation)
    {
        using SelfTestModel trusted = new(reference, cancellation), tested = new(device, cancellation);
        return Each(MethodChecks.All, progress, check =>
        {
            OpOutcome outcome = OpComparison.Run(
                AsOp(check, trusted, tested), reference, device, Enumerable.Range(0, check.Variants.Count));
            return new ComparisonLine(
                check.Name,
                outcome.Cases,
                outcome.LargestError,
                outcome.Allowed,
                outcome.Fault?.Replace("seed", "variant", StringComparison.Ordinal));
        });
    }

    // Variants take the seeds' place. The two devices may be of one kind, but they are two objects.
    private static OpCheck AsOp(MethodCheck check, SelfTestModel trusted, SelfTestModel tested) =>
        new(
            "Methods",
            check.Name,
            check.AllowedAt(tested.Weights.Device.Precision),
            (d, variant) => check.Variants[variant](ReferenceEquals(d, tested.Weights.Device) ? tested : trusted));

    private static List<ComparisonLine> Each<T>(IReadOnlyList<T> checks, IProgress<RunProgress>? progress, Func<T, ComparisonLine> run)
    {
        List<ComparisonLine> lines = [];
        foreach (T check in checks)
        {
            lines.Add(run(check));
            progress?.Report(new RunProgress(lines.Count, checks.Count, lines[^1].Name));
        }
        return lines;
    }
}
