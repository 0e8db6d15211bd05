using System.Globalization;
using Gradpath.Diagnostics.Bench;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Gradpath.Programs;

namespace Gradpath.Perf;

/// <summary>
/// W1 and W3 here and in PyTorch (peers/eap_ig_torch.py), on the same machine in the same run: ours, theirs, ours again. Both sides run 20
/// pairs of 16 tokens in batches of 10 on random weights; ours also states KL, accuracy and the full and empty circuit in W3.
/// </summary>
internal static class PeerTimes
{
    /// <summary>Runs the comparison and prints a markdown table.</summary>
    /// <param name="args"><c>--shape small|medium|large|xl</c>, <c>--device cpu|cuda</c>, <c>--python PROGRAM</c>, <c>--threads
    /// N</c>.</param>
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
                case "--shape" when value is not null && Workloads.ShapeNames.Contains(value): shape = value; break;
                case "--device" when value is "cpu" or "cuda": device = value; break;
                case "--python" when value is not null: python = value; break;
                case "--threads" when int.TryParse(value, CultureInfo.InvariantCulture, out int n) && n > 0: threads = n; break;
                default:
                    Console.Error.WriteLine($"peers does not know '{string.Join(' ', args.Skip(i).Take(2))}'; it takes --shape "
                        + "small|medium|large|xl, --device cpu|cuda, --python PROGRAM, --threads N");
                    return 2;
            }
        }
        using Device ours = ComputeDevice.Open(
            new RunOptions { Device = device, Threads = threads }, new Terminal(Console.In, Console.Out, Console.Error));
        using Gpt2Weights weights = RandomGpt2Weights.Create(Workloads.Shape(shape), 1, ours);
        Work[] works = [.. Peer.Works.Select(name => Works.Prepare(name, shape, weights, sample: false, CancellationToken.None))];
        var timer = new BenchTimer(ours, quick: true, CancellationToken.None);
        ours.ResetPeak();
        double[] before = [.. works.Select(w => timer.Work(w.Run))];
        if (Peer.Measure(python, shape, device, (ours as CpuDevice)?.Workers, out string? obstacle) is not { } theirs)
        {
            Console.Error.WriteLine(obstacle);
            return 1;
        }
        double[] after = [.. works.Select(w => timer.Work(w.Run))];

        Console.WriteLine($"GPT-2 {shape} shape, random weights; ours: {ours.Description}; {theirs.Title}");
        if (theirs.UpperBound)
            Console.WriteLine("This PyTorch has no vendor BLAS and runs batched products in a plain loop: the ratios are upper bounds of "
                + "those against one that has.");
        Console.WriteLine(
            $"| work | ours, seconds (before and after) | PyTorch, seconds | {(theirs.UpperBound ? "ratio, upper bound" : "ratio")} |");
        Console.WriteLine("|---|---|---|---|");
        for (int i = 0; i < works.Length; i++)
        {
            double other = theirs.Seconds[works[i].Name], mean = (before[i] + after[i]) / 2;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {works[i].Name}: {works[i].Shape} | {mean:F3} ({before[i]:F3}, {after[i]:F3}) | {other:F2} | {other / mean:F1} |"));
        }
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"peak memory: ours {ours.PeakBytes / 1048576.0:F0} MiB of device memory, PyTorch {theirs.PeakBytes / 1048576.0:F0} MiB "
                + $"{(device == "cpu" ? "resident" : "of device memory")}"));
        return 0;
    }
}
