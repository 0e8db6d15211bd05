using System.Diagnostics;
using System.Globalization;
using Gradpath.Diagnostics.Bench;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Perf;

/// <summary>
/// Times the scoring methods on random weights against the floor: the flops that they need over the rate of the matrix product measured
/// in the same run. Methods take turns, so that a machine whose speed drifts slows all of them.
/// </summary>
internal static class MethodTimes
{
    /// <summary>Runs the table.</summary>
    /// <param name="args"><c>--shape small|medium|large|xl</c>, <c>--pairs N</c>, <c>--tokens N</c>, <c>--batch-size N</c>, <c>--rounds
    /// N</c>, <c>--threads N</c>.</param>
    /// <returns>Exit code.</returns>
    public static int Run(string[] args)
    {
        string shape = Option(args, "--shape", "small");
        int pairs = Number(args, "--pairs", Workloads.PairCount);
        int tokens = Number(args, "--tokens", Workloads.Tokens);
        int batch = Number(args, "--batch-size", Workloads.BatchSize);
        int rounds = Number(args, "--rounds", 3);
        int differsAt = Math.Max(1, tokens - (Workloads.Tokens - Workloads.DiffersAt));
        using var device = new CpuDevice(Number(args, "--threads", 0));
        Gpt2Config config = ShapeOption.Of(shape);
        Console.WriteLine($"GPT-2 {shape} shape, random weights; {pairs} pairs of {tokens} tokens, batch {batch}; {device.Description}");
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
        for (int round = -1; round < rounds; round++)
        {
            for (int i = 0; i < methods.Length; i++)
            {
                rates.Add(GemmRate(device, batch * tokens * 5, config.Width, config.InnerWidth));
                var watch = Stopwatch.StartNew();
                AttributionResult result = EdgeAttribution.Run(weights, prompts, methods[i]);
                if (round >= 0) seconds[i].Add(watch.Elapsed.TotalSeconds);
                peak[i] = result.PeakDeviceBytes - weights.Device.AllocatedBytes;
            }
        }
        double rate = Median(rates);
        WorkFlops flops = new(config, pairs, tokens, differsAt);
        Console.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"matrix product: {rate / 1e9:F0} GFLOP/s (median of {rates.Count})"));
        Console.WriteLine("| method | seconds | GFLOP | GFLOP/s | share of the product's rate | workspace MiB | against eap-ig |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        for (int i = 0; i < methods.Length; i++)
        {
            double time = Median(seconds[i]);
            double operations = flops.Method(methods[i]);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {methods[i].Method} | {time:F2} | {operations / 1e9:F0} | {operations / time / 1e9:F0} | "
                    + $"{operations / time / rate:P0} | {peak[i] / 1048576.0:F0} | {time / Median(seconds[1]):F2} |"));
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"peak resident memory: {Process.GetCurrentProcess().PeakWorkingSet64 / 1048576.0:F0} MiB, weights included"));
        return 0;
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

    private static string Option(string[] args, string name, string otherwise)
    {
        int at = Array.IndexOf(args, name);
        return at < 0 || at + 1 == args.Length ? otherwise : args[at + 1];
    }

    private static int Number(string[] args, string name, int otherwise) =>
        int.Parse(Option(args, name, otherwise.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);
}
