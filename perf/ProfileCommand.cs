using System.Globalization;
using CommandLine;
using Gradpath.Diagnostics.Bench;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;
using Gradpath.Programs;

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
    public static int Run(ProfileOptions o, Terminal terminal, CancellationToken cancellation)
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
        double total = device.Time(work.Run, 1);
        terminal.Out.WriteLine($"{work.Name}: {work.Shape}; {device.Description}; random weights");
        terminal.Out.WriteLine(load);
        terminal.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{plain:G4} s as it runs; {total:G4} s with every op waited for and timed, which the shares are of"));
        terminal.Out.WriteLine();
        terminal.Out.WriteLine("| op | calls | seconds | share | GFLOP/s |");
        terminal.Out.WriteLine("|---|---:|---:|---:|---:|");
        foreach ((string op, OpCost cost) in profile.Costs.OrderByDescending(c => c.Value.Seconds))
            terminal.Out.WriteLine(Row(op, cost.Calls, cost.Seconds, total, cost.Flops));
        OpCost[] products = [.. profile.Costs.Where(c => c.Value.Flops > 0).Select(c => c.Value)];
        terminal.Out.WriteLine(
            Row("all matrix products", products.Sum(c => c.Calls), products.Sum(c => c.Seconds), total, products.Sum(c => c.Flops)));
        double ops = profile.Costs.Values.Sum(c => c.Seconds);
        terminal.Out.WriteLine(Row("outside every op", 0, total - ops, total, 0));
        return ExitCode.Success;
    }

    private static Gpt2Weights Create(ProfileOptions o, Device device) =>
        Works.TryCreate(o.Shape, device, out string? obstacle) ?? throw new UsageException($"--shape {o.Shape}: {obstacle}.");

    private static string Row(string op, long calls, double seconds, double total, double flops) => string.Create(
        CultureInfo.InvariantCulture,
        $"| {op} | {(calls > 0 ? calls : ""):N0} | {seconds:G3} | {seconds / total:P1} | "
            + $"{(flops > 0 ? (flops / seconds / 1e9).ToString("F0", CultureInfo.InvariantCulture) : "")} |");
}
