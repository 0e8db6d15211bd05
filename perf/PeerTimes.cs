using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Host;
using Gradpath.Host.Bench;
using Gradpath.Host.Commands;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Perf;

/// <summary>
/// W1 and W3 here and in PyTorch (peers/eap_ig_torch.py), on the same machine in the same run: ours, theirs, ours again. Both sides run 20
/// pairs of 16 tokens in batches of 10 on random weights; ours also states KL, accuracy and the full and empty circuit in W3.
/// </summary>
internal static class PeerTimes
{
    private static readonly string[] s_works = ["W1", "W3"];

    /// <summary>Runs the comparison and prints a markdown table.</summary>
    /// <param name="args"><c>--shape small|medium|large|xl</c>, <c>--device cpu|cuda</c>, <c>--python PROGRAM</c>, <c>--threads N</c>.</param>
    /// <returns>Exit code.</returns>
    public static int Run(string[] args)
    {
        string shape = "small", device = "cpu", python = "python3";
        int? threads = null;
        for (int i = 0; i < args.Length; i += 2)
        {
            string? value = i + 1 < args.Length ? args[i + 1] : null;
            switch (args[i])
            {
                case "--shape" when value is not null: shape = value; break;
                case "--device" when value is "cpu" or "cuda": device = value; break;
                case "--python" when value is not null: python = value; break;
                case "--threads" when int.TryParse(value, CultureInfo.InvariantCulture, out int n) && n > 0: threads = n; break;
                default:
                    Console.Error.WriteLine($"peers does not know '{string.Join(' ', args.Skip(i).Take(2))}'; it takes --shape small|medium|large|xl, --device cpu|cuda, --python PROGRAM, --threads N");
                    return 2;
            }
        }
        using Device ours = ComputeDevice.Open(new BenchOptions { Device = device, Threads = threads }, new Terminal(Console.In, Console.Out, Console.Error));
        using Gpt2Weights weights = RandomGpt2Weights.Create(Workloads.Shape(shape), 1, ours);
        Work[] works = [.. s_works.Select(name => Works.Prepare(name, shape, weights, sample: false, CancellationToken.None))];
        var timer = new BenchTimer(ours, quick: true, CancellationToken.None);
        ours.ResetPeak();
        double[] before = [.. works.Select(w => timer.Work(w.Run))];
        if (Theirs(python, shape, device, ours is CpuDevice cpu ? cpu.Workers : null) is not { } theirs) return 1;
        double[] after = [.. works.Select(w => timer.Work(w.Run))];

        Console.WriteLine($"GPT-2 {shape} shape, random weights; ours: {ours.Description}; PyTorch {theirs.GetProperty("torch").GetString()}, {theirs.GetProperty("device").GetString()}, {theirs.GetProperty("threads").GetInt32()} threads");
        bool upperBound = !theirs.GetProperty("vendor_blas").GetBoolean();
        if (upperBound) Console.WriteLine("This PyTorch has no vendor BLAS and runs batched products in a plain loop: the ratios are upper bounds of those against one that has.");
        Console.WriteLine($"| work | ours, seconds (before and after) | PyTorch, seconds | {(upperBound ? "ratio, upper bound" : "ratio")} |");
        Console.WriteLine("|---|---|---|---|");
        for (int i = 0; i < works.Length; i++)
        {
            double other = theirs.GetProperty(s_works[i]).GetDouble(), mean = (before[i] + after[i]) / 2;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {works[i].Name}: {works[i].Shape} | {mean:F3} ({before[i]:F3}, {after[i]:F3}) | {other:F2} | {other / mean:F1} |"));
        }
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"peak memory: ours {ours.PeakBytes / 1048576.0:F0} MiB of device memory, PyTorch {theirs.GetProperty("peak_bytes").GetInt64() / 1048576.0:F0} MiB {(device == "cpu" ? "resident" : "of device memory")}"));
        return 0;
    }

    private static JsonElement? Theirs(string python, string shape, string device, int? threads)
    {
        string script = Path.Combine(AppContext.BaseDirectory, "peers", "eap_ig_torch.py");
        string[] arguments = [script, "time", "--shape", shape, "--device", device, .. threads is { } n ? new[] { "--threads", n.ToString(CultureInfo.InvariantCulture) } : []];
        try
        {
            using var process = Process.Start(new ProcessStartInfo(python, arguments) { RedirectStandardOutput = true })!;
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode == 0) return JsonDocument.Parse(output).RootElement;
            Console.Error.WriteLine($"{python} {script} ended with exit code {process.ExitCode}; it needs a Python that has torch (--python names another one)");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            Console.Error.WriteLine($"{python} could not be started: {e.Message}; --python names another one");
        }
        return null;
    }
}
