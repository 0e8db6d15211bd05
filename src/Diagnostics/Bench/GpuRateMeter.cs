using System.Globalization;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;
using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Diagnostics.Bench;

/// <summary>Measures what a GPU's units do at best.</summary>
/// <param name="gpu">The GPU.</param>
/// <param name="timer">How.</param>
internal sealed class GpuRateMeter(CudaDevice gpu, BenchTimer timer)
{
    // About a million clocks of each unit, by the published rates.
    private const int FfmaSteps = 1024, MmaSteps = 512, SharedSteps = 1024, CacheRounds = 64;
    private const int BlocksOfLoop = 4, BlocksOfStream = 8;
    private const long StreamBytes = 1L << 30;

    // Kernels of a graph whose nodes are timed.
    private const int Nodes = 64;

    // An emulator runs a thread at a time.
    private readonly bool _small = gpu.IsEmulated;
    private readonly Datasheet? _sheet = Datasheet.Of(gpu.Info.Name);

    /// <summary>Measures.</summary>
    public MachineRates Measure()
    {
        BenchLine[] loops =
        [
            Loop(RateLoop.Ffma, "FFMA rate", FfmaSteps, _sheet?.Float32),
            Loop(RateLoop.Tf32, "TF32 mma rate", MmaSteps, _sheet?.Tf32),
            Loop(RateLoop.Bf16, "BF16 mma rate", MmaSteps, _sheet?.Bf16),
            Loop(RateLoop.Shared, "shared memory", SharedSteps, null),
        ];
        BenchLine[] streams = Streams();
        BenchLine arithmetic = gpu.Arithmetic switch
        {
            _ when gpu.Options.UseCublas && gpu.Precision == MatrixPrecision.Float32 => loops[0],
            GemmArithmetic.Ffma => loops[0],
            GemmArithmetic.Bf16 or GemmArithmetic.Fp16x3 => loops[2],
            _ => loops[1],
        };
        int products = gpu.Arithmetic is GemmArithmetic.Tf32x3 or GemmArithmetic.Fp16x3 && arithmetic != loops[0] ? 3 : 1;
        return new MachineRates(
            [.. loops, Cache(), .. streams, .. Launches()], streams.MaxBy(s => s.Bytes / s.Seconds)!, arithmetic, products);
    }

    private BenchLine Loop(RateLoop loop, string name, int steps, double? peak)
    {
        (int blocks, int count) = _small ? (1, 8) : (BlocksOfLoop * gpu.Info.Multiprocessors, steps);
        using Tensor results = gpu.Allocate(blocks * RateThreads);
        double warps = (double)blocks * RateThreads / Warp * count;
        double seconds = timer.Op(() => gpu.RunRateLoop(loop, results, blocks, count));
        return Line(name, $"{blocks} blocks", seconds, warps * loop.FlopsOfWarp, warps * loop.BytesOfWarp, peak * 1e12);
    }

    private BenchLine Cache()
    {
        int blocks = _small ? 1 : gpu.Info.Multiprocessors, rounds = _small ? 1 : CacheRounds;
        long words = Words(gpu.Info.L2Bytes / 2, blocks);
        using Tensor from = Zeros(words), results = gpu.Allocate(blocks * RateThreads);
        double seconds = timer.Op(() => gpu.RunRateRead(from, words, rounds, results, blocks));
        return Line("L2 read", Size(words), seconds, 0, 16.0 * words * rounds, null);
    }

    private BenchLine[] Streams()
    {
        int blocks = _small ? 1 : BlocksOfStream * gpu.Info.Multiprocessors;
        long words = Words(Math.Min(StreamBytes, gpu.FreeMemory / 4), blocks);
        using Tensor from = Zeros(words), to = gpu.Allocate(checked((int)(4 * words))), results = gpu.Allocate(blocks * RateThreads);
        double? peak = _sheet?.Memory * 1e9;
        double bytes = 16.0 * words;
        return
        [
            Line("memory read", Size(words), timer.Op(() => gpu.RunRateRead(from, words, 1, results, blocks)), 0, bytes, peak),
            Line("memory write", Size(words), timer.Op(() => gpu.RunRateWrite(to, words, 1, blocks)), 0, bytes, peak),
            Line("memory copy", Size(words), timer.Op(() => gpu.RunRateCopy(from, to, words, blocks)), 0, 2 * bytes, peak),
        ];
    }

    private BenchLine[] Launches()
    {
        using Tensor counter = Zeros(1);
        double direct = timer.Op(() => gpu.RunRateNothing(counter));
        using RecordedPass pass = new() { Repeats = true };
        double inGraph = timer.Op(() => gpu.Replay(pass, this, _ =>
        {
            for (int i = 0; i < Nodes; i++) gpu.RunRateNothing(counter);
        }));
        return
        [
            Line("launch", "1 kernel", direct, 0, 0, null),
            Line("graph node", $"of {Nodes}", inGraph / Nodes, 0, 0, null),
        ];
    }

    private Tensor Zeros(long words)
    {
        Tensor tensor = gpu.Allocate(checked((int)(4 * words)));
        gpu.Fill(tensor, 0, tensor.Length);
        return tensor;
    }

    private long Words(long bytes, int blocks)
    {
        long unit = CudaDevice.RateWords(blocks);
        return _small ? unit : Math.Max(1, bytes / 16 / unit) * unit;
    }

    private static string Size(long words) => words >= 1 << 16
        ? string.Create(CultureInfo.InvariantCulture, $"{words >> 16} MiB")
        : string.Create(CultureInfo.InvariantCulture, $"{words >> 6} KiB");

    private BenchLine Line(string name, string shape, double seconds, double flops, double bytes, double? peak) =>
        new(name, shape, gpu.Name, seconds, flops, bytes, 1, peak);
}
