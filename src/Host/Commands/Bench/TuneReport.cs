using System.Globalization;
using Gradpath.Diagnostics.Bench;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath bench --tune</c>: measures how products are best cut up on a GPU and writes a file of plans.</summary>
internal static class TuneReport
{
    /// <summary>Measures and writes.</summary>
    /// <param name="o">The options of the command.</param>
    /// <param name="names">The works that are wanted.</param>
    /// <param name="opened">The device.</param>
    /// <param name="terminal">The terminal.</param>
    /// <param name="cancellation">Stops between products.</param>
    /// <exception cref="UsageException">The device is no GPU, or multiplies by cuBLAS.</exception>
    public static CommandReport Run(
        BenchOptions o, IReadOnlyList<string> names, Device opened, Terminal terminal, CancellationToken cancellation)
    {
        if (opened is not CudaDevice device)
            throw new UsageException($"--tune measures a GPU, and the device is {opened.Name}: give --device cuda.");
        if (device.Options.UseCublas) throw new UsageException("--tune measures the project's own kernels: leave --gemm cublas out.");
        string path = o.Out ?? PlanFiles.Usual(device.Info.Name, terminal.Variable)
            ?? throw new UsageException("--tune: there is no configuration folder to write the plans to: give --out FILE.");
        if (o.Plans is not null) throw new UsageException($"--plans {o.Plans}: --tune measures anew: leave it out.");
        device.Plans.Measured = null;
        PlanTuner tuner = new(device, new BenchTimer(device, o.Quick, cancellation), o.Quick);
        List<TunedPlan> plans = [];
        ScoringProgress.Run(terminal, "bench", progress =>
        {
            progress?.Report(new RunProgress(0, 1, "works"));
            IReadOnlyList<GemmPlanKey> products = tuner.ProductsOf(Works(o, names, device, cancellation));
            foreach (GemmPlanKey product in products)
            {
                cancellation.ThrowIfCancellationRequested();
                plans.Add(tuner.Tune(product));
                progress?.Report(new RunProgress(plans.Count, products.Count, "plans"));
            }
            return 0;
        });
        byte[] file = tuner.File(plans).Write();
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        AtomicFile.Write(path, stream => stream.Write(file));

        CommandReport report = new();
        report.Table(ReportTable.Of("plans", plans)
            .Text("product", "product", p => Words(p.Shape))
            .Text("layout", "layout", p => $"{(p.TransposedB ? "nt" : "nn")}{(p.Packed ? ", packed" : "")}")
            .Text("plan", "plan", p => Words(p.Best))
            .Column("time", "seconds", p => p.Best.Seconds, p => BenchText.Time(p.Best.Seconds))
            .Text("estimated best", "estimated", p => Words(tuner.CandidatesOf(Key(p, device))[0]))
            .Text("runner-up", "runner_up", p => p.RunnerUp is { } next ? Words(next) : "-")
            .Column("its time", "runner_up_seconds", p => p.RunnerUp?.Seconds, p => p.RunnerUp is { } n ? BenchText.Time(n.Seconds) : "-"));
        report.Line($"device: {device.Description}", ("device", device.Description));
        if (device.IsEmulated) report.Note("An emulator stands in for the GPU: the times are the emulator's, and none is a GPU's.");
        report.File("plans", path, $"{plans.Count} plans: {path}");
        return report;
    }

    private static IEnumerable<Action> Works(
        BenchOptions o, IReadOnlyList<string> names, CudaDevice device, CancellationToken cancellation)
    {
        using Gpt2Weights weights = Diagnostics.Bench.Works.TryCreate(o.TunedShape, device, out string? obstacle)
            ?? throw new UsageException($"--shape {o.TunedShape}: {obstacle}.");
        foreach (string name in names)
            yield return Diagnostics.Bench.Works.Prepare(name, o.TunedShape, weights, sample: true, cancellation).Run;
    }

    private static GemmPlanKey Key(TunedPlan plan, CudaDevice device) =>
        new(plan.Shape, plan.Arithmetic, plan.TransposedB, device.PartialsLimit, plan.Packed);

    private static string Words(GemmShape s) => $"{s.M} x {s.N} x {s.K}{(s.Batch > 1 ? $", {s.Batch} at once" : "")}";

    private static string Words(TimedPlan plan) => Words(plan.Plan);

    private static string Words(GemmPlan plan) => plan.Tile is null
        ? "plain"
        : string.Create(CultureInfo.InvariantCulture, $"{plan.Tile.Name}{(plan.Splits > 1 ? $", {plan.Splits} shares" : "")}");
}
