using System.Diagnostics;
using System.Globalization;
using CommandLine;
using Gradpath.Diagnostics.Bench;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Gradpath.Programs;
using Gradpath.Programs.Reporting;

namespace Gradpath.Perf;

/// <summary>The options of <c>perf methods</c>.</summary>
[Verb("methods", HelpText = "EAP, EAP-IG and EAP-GP on the CPU against the rate of its matrix product.")]
internal sealed class MethodTimesOptions : CommandOptions
{
    [Option("shape", MetaValue = "NAME", Default = "small", HelpText = "GPT-2 shape: tiny, small, medium, large or xl.")]
    public string Shape { get; set; } = "small";

    [Option("pairs", MetaValue = "N", Default = Workloads.PairCount, HelpText = "Prompt pairs.")]
    [Range(1, 10_000)]
    public int Pairs { get; set; } = Workloads.PairCount;

    [Option("tokens", MetaValue = "N", Default = Workloads.Tokens, HelpText = "Tokens of a prompt.")]
    [Range(2, 1024)]
    public int Tokens { get; set; } = Workloads.Tokens;

    [Option("batch-size", MetaValue = "N", Default = Workloads.BatchSize, HelpText = "Pairs per pass.")]
    [Range(1, 10_000)]
    public int BatchSize { get; set; } = Workloads.BatchSize;

    [Option("rounds", MetaValue = "N", Default = 3, HelpText = "Rounds, methods in turn.")]
    [Range(1, 10_000)]
    public int Rounds { get; set; } = 3;

    [Option("threads", MetaValue = "N", HelpText = "Threads (default: one per core).")]
    [Range(1, 1024)]
    public int? Threads { get; set; }
}

/// <summary>
/// Times the scoring methods on random weights against the floor: the flops that they need over the rate of the matrix product measured
/// in the same run. Methods take turns, so that a machine whose speed drifts slows all of them.
/// </summary>
internal static class MethodTimes
{
    /// <summary>Runs the table.</summary>
    /// <param name="o">The options.</param>
    /// <param name="cancellation">Stops it.</param>
    public static CommandReport Run(MethodTimesOptions o, CancellationToken cancellation)
    {
        (int pairs, int tokens, int batch) = (o.Pairs, o.Tokens, o.BatchSize);
        int differsAt = Math.Max(1, tokens - (Workloads.Tokens - Workloads.DiffersAt));
        Gpt2Config config = ShapeOption.Of(o.Shape);
        using var device = new CpuDevice(o.Threads ?? 0);
        CommandReport report = new() { Markdown = true };
        report.Line(
            $"GPT-2 {o.Shape} shape, random weights; {pairs} pairs of {tokens} tokens, batch {batch}; {device.Description}",
            ("shape", o.Shape), ("pairs", pairs), ("tokens", tokens), ("batch_size", batch), ("device", device.Description));
        using Gpt2Weights weights = RandomGpt2Weights.Create(config, 1, device);
        var prompts = PromptSet.Of(Workloads.Pairs(pairs, tokens, differsAt));
        AttributionOptions[] methods =
        [
            new() { Method = AttributionMethods.Eap, BatchSize = batch },
            new() { Method = AttributionMethods.EapIg, BatchSize = batch },
            new() { Method = AttributionMethods.EapGp, BatchSize = batch },
        ];
        var seconds = methods.Select(_ => new List<double>()).ToArray();
        var rates = new List<double>();
        var peak = new long[methods.Length];
        for (int round = -1; round < o.Rounds; round++)
        {
            for (int i = 0; i < methods.Length; i++)
            {
                rates.Add(GemmRate(device, batch * tokens * 5, config.Width, config.InnerWidth));
                var watch = Stopwatch.StartNew();
                AttributionResult result = EdgeAttribution.Run(weights, prompts, methods[i], null, cancellation);
                if (round >= 0) seconds[i].Add(watch.Elapsed.TotalSeconds);
                peak[i] = result.PeakDeviceBytes - weights.Device.AllocatedBytes;
            }
        }
        double rate = Median(rates);
        WorkFlops flops = new(config, pairs, tokens, differsAt);
        report.Line(
            string.Create(CultureInfo.InvariantCulture, $"matrix product: {rate / 1e9:F0} GFLOP/s (median of {rates.Count})"),
            ("flops_per_second", rate));
        double baseline = Median(seconds[1]);
        report.Table(ReportTable.Of("methods", methods.Select((m, i) => (Method: m, Seconds: Median(seconds[i]), Peak: peak[i])))
            .Text("method", "method", m => m.Method.Method.Name)
            .Column("seconds", "seconds", m => m.Seconds, m => Fixed(m.Seconds, "F2"))
            .Column("GFLOP", "flops", m => flops.Method(m.Method), m => Fixed(flops.Method(m.Method) / 1e9, "F0"))
            .Shows("GFLOP/s", m => Fixed(flops.Method(m.Method) / m.Seconds / 1e9, "F0"))
            .Column("share of the product's rate", "share_of_rate", m => flops.Method(m.Method) / m.Seconds / rate,
                m => Fixed(flops.Method(m.Method) / m.Seconds / rate, "P0"))
            .Column("workspace MiB", "workspace_bytes", m => m.Peak, m => Fixed(m.Peak / 1048576.0, "F0"))
            .Column("against eap-ig", "ratio_to_eap_ig", m => m.Seconds / baseline, m => Fixed(m.Seconds / baseline, "F2")));
        long resident = Process.GetCurrentProcess().PeakWorkingSet64;
        report.Line(string.Create(
            CultureInfo.InvariantCulture, $"peak resident memory: {resident / 1048576.0:F0} MiB, weights included"),
            ("peak_bytes", resident));
        return report;
    }

    /// <summary>The rate of a product of the given shape.</summary>
    /// <param name="device">The device.</param>
    /// <param name="m">Rows.</param>
    /// <param name="k">Inner dimension.</param>
    /// <param name="n">Columns.</param>
    /// <returns>Flops per second.</returns>
    public static double GemmRate(Device device, int m, int k, int n)
    {
        using Tensor a = device.Allocate(m, k);
        using Tensor b = device.Allocate(k, n);
        using Tensor c = device.Allocate(m, n);
        var times = new List<double>();
        for (int i = 0; i < 7; i++)
        {
            var watch = Stopwatch.StartNew();
            device.Gemm(a.AsMatrix(), b.AsMatrix(), c.AsMatrix());
            device.Synchronize();
            times.Add(watch.Elapsed.TotalSeconds);
        }
        return 2.0 * m * k * n / times.Min();
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    private static string Fixed(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
