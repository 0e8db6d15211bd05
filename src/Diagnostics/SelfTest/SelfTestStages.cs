using System.Globalization;
using Gradpath.Diagnostics.Ops;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Diagnostics.SelfTest;

/// <summary>The stages of the self-test: what a device must do first comes first.</summary>
internal static class SelfTestStages
{
    /// <summary>Every file of kernels, compiled by the driver.</summary>
    public static SelfTestStage Modules { get; } = new("modules", StageNeeds.Gpu, CudaDevice.ModuleFiles, RunModules);

    /// <summary>Every op on random operands. On the device under test each runs twice, which must give the same bits.</summary>
    public static SelfTestStage Ops { get; } = new("ops", StageNeeds.Reference, [.. OpCatalog.Checks.Select(c => c.Op)], RunOps);

    /// <summary>
    /// Every kernel of the matrix product and of the edge contraction, whatever the shapes of ops make the planner choose.
    /// </summary>
    public static SelfTestStage Plans { get; } = new("plans", StageNeeds.Gpu, [.. ForcedPlans.All.Select(p => p.Kernel)], RunPlans);

    /// <summary>Passes that are recorded and replayed, against the same passes launched directly: the same bits.</summary>
    public static SelfTestStage Graphs { get; } = new("graphs", StageNeeds.Gpu, [.. GraphChecks.Methods.Select(m => m.Name)], RunGraphs);

    /// <summary>Identities that define scores.</summary>
    public static SelfTestStage Identities { get; } = new(
        "identities", StageNeeds.Nothing, [.. IdentityChecks.All.Select(c => c.Name)], RunIdentities);

    /// <summary>Every method on a tiny model. On the device under test each runs twice, which must give the same bits.</summary>
    public static SelfTestStage Methods { get; } = new(
        "methods", StageNeeds.Reference, [.. MethodChecks.All.Select(c => c.Name)], RunMethods);

    /// <summary>Methods at GPT-2's own shape, against scores of the CPU.</summary>
    public static SelfTestStage Full { get; } = new("gpt2", StageNeeds.Scores, [.. ScoredModel.Methods.Select(FullChecks.NameOf)], RunFull);

    /// <summary>All of them in their order.</summary>
    public static IReadOnlyList<SelfTestStage> All { get; } = [Modules, Ops, Plans, Graphs, Identities, Methods, Full];

    private static IReadOnlyList<ComparisonLine> RunModules(SelfTestRun run) => run.Each(
        Modules.Name, ((CudaDevice)run.Device).Files, file => file, file =>
        {
            CudaModuleInfo module = ((CudaDevice)run.Device).LoadModule(file);
            run.Modules.Add(module);
            return new ComparisonLine(file, module.Kernels.Count, 0, 0, null);
        });

    private static IReadOnlyList<ComparisonLine> RunOps(SelfTestRun run)
    {
        int[] seeds = OpCatalog.Seeds(run.Cases - (run.Cases / 3), run.Cases / 3);
        return run.Each(
            Ops.Name, OpCatalog.Checks, check => check.Op, check =>
            {
                OpOutcome outcome = OpComparison.Run(check, run.Reference, run.Device, run.UntilStopped(seeds));
                return Line(check.Op, outcome);
            });
    }

    private static IReadOnlyList<ComparisonLine> RunPlans(SelfTestRun run) => run.Each(
        Plans.Name, [.. ForcedPlans.All.Where(p => !p.NeedsSm90a || ((CudaDevice)run.Device).KnowsSm90a)], plan => plan.Kernel,
        plan => plan.Compare(run.Reference, (CudaDevice)run.Device));

    private static IReadOnlyList<ComparisonLine> RunGraphs(SelfTestRun run) => run.Each(
        Graphs.Name, GraphChecks.Methods, method => method.Name, method => GraphChecks.Compare(run.TestedModel, method));

    private static IReadOnlyList<ComparisonLine> RunIdentities(SelfTestRun run) => run.Each(
        Identities.Name, IdentityChecks.All, check => check.Name, check =>
        {
            double error = check.Measure(run.TestedModel), allowed = check.AllowedAt(run.Device.Precision);
            string? fault = error <= allowed
                ? null
                : string.Create(CultureInfo.InvariantCulture, $"an error of {error:0.0e+00}, allowed {allowed:0.0e+00}");
            return new ComparisonLine(check.Name, 1, error, allowed, fault);
        });

    private static IReadOnlyList<ComparisonLine> RunMethods(SelfTestRun run) => run.Each(
        Methods.Name, MethodChecks.All, check => check.Name, check =>
        {
            // Variants take the seeds' place. The two devices may be of one kind, but they are two objects.
            SelfTestModel trusted = run.TrustedModel, tested = run.TestedModel;
            OpCheck asOp = new(
                "Methods", check.Name, check.AllowedAt(run.Device.Precision),
                (device, variant) => check.Variants[variant](ReferenceEquals(device, run.Device) ? tested : trusted));
            OpOutcome outcome = OpComparison.Run(asOp, run.Reference, run.Device, Enumerable.Range(0, check.Variants.Count));
            ComparisonLine line = Line(check.Name, outcome);
            return line with { Fault = line.Fault?.Replace("seed", "variant", StringComparison.Ordinal) };
        });

    private static IReadOnlyList<ComparisonLine> RunFull(SelfTestRun run) => run.Each(
        Full.Name, ScoredModel.Methods, FullChecks.NameOf, method =>
        {
            CpuScores expected = run.CpuScores;
            return FullChecks.Compare(run.FullModel, method, expected, run.Cancellation);
        });

    private static ComparisonLine Line(string name, OpOutcome outcome) =>
        new(name, outcome.Cases, outcome.LargestError, outcome.Allowed, outcome.Fault);
}
