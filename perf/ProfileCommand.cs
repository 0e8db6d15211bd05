using System.Globalization;
using CommandLine;
using Gradpath.Diagnostics.Bench;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;
using Gradpath.Programs;
using Gradpath.Programs.Reporting;

namespace Gradpath.Perf;

/// <summary>The options of <c>perf profile</c>.</summary>
[Verb("profile", HelpText = "Where the time of a work goes, op by op; matrix products by shape.")]
internal sealed class ProfileOptions : DeviceOptions
{
    [Option("work", MetaValue = "NAME", HelpText = "W1 to W7; `perf profile W1` is short for it. W4 and W7 are samples.")]
    public string? Work { get; set; }

    [Option("shape", MetaValue = "NAME", Default = "small", HelpText = "GPT-2 shape: tiny, small, medium, large or xl.")]
    public string Shape { get; set; } = "small";
}

/// <summary><c>perf profile</c>: one warm run watched by an <see cref="OpProfile"/>, beside the time of the same run without it.</summary>
internal static class ProfileCommand
{
    public static CommandReport Run(ProfileOptions o, Terminal terminal, CancellationToken cancellation)
    {
        string[] all = [.. Works.ByModel.SelectMany(w => w.Names).Distinct().Order()];
        if (!all.Contains(o.Work)) throw new UsageException($"profile {o.Work}: name one work: {string.Join(", ", all)}.");
        string load = Machine.Describe(Machine.Load(), Environment.ProcessorCount);
        ShapeOption.Of(o.Shape);
        using Device device = ComputeDevice.Open(o, terminal);
        using Gpt2Weights weights = Create(o, device);
        Work work = Works.Prepare(o.Work!, o.Shape, weights, sample: true, cancellation);
        work.Run();
        double plain = device.Time(work.Run, 1);
        using OpProfile profile = new(device);
        work.Run();
        profile.Clear();
        double total = 0;
        profile.Range(work.Name, () => total = device.Time(work.Run, 1));
        CommandReport report = new() { Markdown = true };
        report.Line($"{work.Name}: {work.Shape}; {device.Description}; random weights",
            ("work", work.Name), ("shape", work.Shape), ("device", device.Description));
        report.Line(load, ("load", load));
        string how = device is CudaDevice ? "between two events of the GPU" : "waited for and timed";
        report.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"{plain:G4} s as it runs; {total:G4} s with every op {how}, which the shares are of"),
            ("seconds", plain), ("seconds_watched", total));
        if (device.IsEmulated)
            report.Line("an emulator stands in for the GPU: the times are the emulator's, and none is a GPU's", ("emulated", true));
        report.Plain("");
        List<(string Op, OpCost Cost)> rows = [.. profile.Costs.OrderByDescending(c => c.Value.Seconds).Select(c => (c.Key, c.Value))];
        OpCost[] products = [.. profile.Costs.Where(c => c.Value.Flops > 0).Select(c => c.Value)];
        rows.Add(("all matrix products", new OpCost
        {
            Calls = products.Sum(c => c.Calls),
            Seconds = products.Sum(c => c.Seconds),
            Flops = products.Sum(c => c.Flops),
        }));
        rows.Add(("outside every op", new OpCost { Seconds = total - profile.Costs.Values.Sum(c => c.Seconds) }));
        report.Table(Table(rows, total));
        return report;
    }

    private static Gpt2Weights Create(ProfileOptions o, Device device) =>
        Works.TryCreate(o.Shape, device, out string? obstacle) ?? throw new UsageException($"--shape {o.Shape}: {obstacle}.");

    private static ReportTableOf<(string Op, OpCost Cost)> Table(IEnumerable<(string Op, OpCost Cost)> rows, double total) => ReportTable
        .Of("ops", rows)
        .Text("op", "op", r => r.Op)
        .Count("calls", "calls", r => r.Cost.Calls > 0 ? r.Cost.Calls : null)
        .Column("seconds", "seconds", r => r.Cost.Seconds, r => r.Cost.Seconds.ToString("G3", CultureInfo.InvariantCulture))
        .Column("share", "share", r => r.Cost.Seconds / total,
            r => (r.Cost.Seconds / total).ToString("P1", CultureInfo.InvariantCulture))
        .Column("GFLOP/s", "flops_per_second", r => r.Cost.Flops > 0 ? r.Cost.Flops / r.Cost.Seconds : null,
            r => r.Cost.Flops > 0 ? (r.Cost.Flops / r.Cost.Seconds / 1e9).ToString("F0", CultureInfo.InvariantCulture) : "");
}
