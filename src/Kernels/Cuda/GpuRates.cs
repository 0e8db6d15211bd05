namespace Gradpath.Kernels.Cuda;

/// <summary>
/// What a multiprocessor of a compute capability holds and does in a clock. What a block and a multiprocessor hold is from the tables of
/// the CUDA C++ Programming Guide ("Compute Capabilities"). Rates are the dense peaks of NVIDIA's papers on each architecture, divided by
/// the multiprocessors and the boost clock that the same paper states, two flops to a multiply-add:
/// 8.0 "A100 Tensor Core GPU Architecture" (19.5, 156 and 312 TFLOP/s; 108 at 1.41 GHz; 5,120 bytes a clock from L2, 1,555 GB/s);
/// 8.6 "GA102 GPU Architecture" (RTX 3090: 35.6, 35.6 and 71 TFLOP/s; 82 at 1.695 GHz; 936 GB/s);
/// 8.7 "Jetson AGX Orin" (16 at 1.3 GHz; 170 sparse int8 TOPS, of which TF32 has an eighth of the dense; 204.8 GB/s);
/// 8.9 "Ada GPU Architecture" (RTX 4090: 82.6, 82.6 and 165 TFLOP/s; 128 at 2.52 GHz; 1,008 GB/s);
/// 9.0 "H100 Tensor Core GPU Architecture" (H100 SXM: 67, 494.7 and 989 TFLOP/s; 132 at 1.83 GHz; 3,352 GB/s);
/// 10.0 and 10.3 the data sheets of HGX B200 and B300 (80, 1,100 and 2,250 TFLOP/s; 148 at about 1.85 GHz; 8 TB/s);
/// 12.0 "RTX Blackwell GPU Architecture" (RTX 5090: 104.8, 104.8 and 209.5 TFLOP/s; 170 at 2.407 GHz; 1,792 GB/s); 12.1 alike
/// (48 multiprocessors, 273 GB/s). GeForce does bfloat16 and TF32 with float32 sums at half of the rate of the same chip's workstation
/// cards (A40, L40S); the table has the GeForce figures, and the choices that it serves are the same for both.
/// </summary>
/// <param name="Capability">Compute capability, times ten.</param>
/// <param name="SharedBytes">Shared memory of a multiprocessor.</param>
/// <param name="MostThreads">Threads that a multiprocessor holds.</param>
/// <param name="MostBlocks">Blocks that a multiprocessor holds.</param>
/// <param name="Ffma">float32 multiply-adds per clock of the ordinary units.</param>
/// <param name="Tf32">TF32 multiply-adds per clock of the tensor cores, dense.</param>
/// <param name="Bf16">bfloat16 multiply-adds per clock of the tensor cores, dense, with float32 sums; halves have the same rate.</param>
/// <param name="MmaShare">
/// The share of these that <c>mma.sync</c> reaches: nearly all where it is the tensor cores' own instruction, about 0.62 on 9.0, whose full
/// rate needs wgmma (measured by others); on 10.x taken to be as many multiply-adds as on 9.0, for want of a figure.
/// </param>
/// <param name="CacheBytes">Bytes per clock from L2: 47 by the paper on 8.0; elsewhere no paper states it, and 40 is assumed.</param>
/// <param name="MemoryBytes">Bytes per clock from memory, as a share of the whole GPU's, for when the driver tells no clocks.</param>
internal sealed record GpuRates(
    int Capability,
    int SharedBytes,
    int MostThreads,
    int MostBlocks,
    int Ffma,
    int Tf32,
    int Bf16,
    double MmaShare,
    double CacheBytes,
    double MemoryBytes)
{
    /// <summary>32-bit registers of a multiprocessor: the same for all.</summary>
    public const int Registers = 65_536;

    /// <summary>Shared memory that the driver takes of every block.</summary>
    public const int ReservedSharedBytes = 1024;

    private const int Quarters = 4, RegisterUnit = 256, SharedUnit = 128;

    /// <summary>All capabilities that are known.</summary>
    public static IReadOnlyList<GpuRates> Known { get; } =
    [
        new(80, 164 << 10, 2048, 32, 64, 512, 1024, 0.9, 47, 10.2),
        new(86, 100 << 10, 1536, 16, 128, 128, 256, 0.9, 40, 6.7),
        new(87, 164 << 10, 1536, 16, 128, 512, 1024, 0.9, 40, 9.8),
        new(89, 100 << 10, 1536, 24, 128, 128, 256, 0.9, 40, 3.1),
        new(90, 228 << 10, 2048, 32, 128, 1024, 2048, 0.62, 40, 14.4),
        new(100, 228 << 10, 2048, 32, 128, 2048, 4096, 0.31, 40, 29),
        new(103, 228 << 10, 2048, 32, 128, 2048, 4096, 0.31, 40, 29),
        new(120, 100 << 10, 1536, 24, 128, 128, 256, 0.9, 40, 4.4),
        new(121, 100 << 10, 1536, 24, 128, 128, 256, 0.9, 40, 2.4),
    ];

    /// <summary>The rates of a capability.</summary>
    /// <param name="capability">Compute capability, times ten.</param>
    /// <returns>Its own; of one that is not known those of the last known one before it, under its own number.</returns>
    public static GpuRates Of(int capability) =>
        Known.LastOrDefault(r => r.Capability <= capability) is { } found
            ? found with { Capability = capability }
            : Known[0] with { Capability = capability };

    /// <summary>Whether the table has a capability.</summary>
    /// <param name="capability">Compute capability, times ten.</param>
    /// <returns>True where it has.</returns>
    public static bool Knows(int capability) => Known.Any(r => r.Capability == capability);

    // What kernels with wgmma reach of the tensor cores' rate; others measured 0.8 to 0.95 of it.
    private const double WarpgroupShare = 0.9;

    /// <summary>Multiply-adds per clock of three products of halves by a warpgroup's instruction.</summary>
    public double PackedCeiling => Bf16 * WarpgroupShare / 3;

    /// <summary>Multiply-adds per clock that an arithmetic's instruction reaches, products that count once.</summary>
    /// <param name="arithmetic">How to multiply.</param>
    /// <returns>Per clock and multiprocessor.</returns>
    public double Ceiling(GemmArithmetic arithmetic) => arithmetic switch
    {
        GemmArithmetic.Ffma => Ffma,
        GemmArithmetic.Tf32x3 => Tf32 * MmaShare / 3,
        GemmArithmetic.Fp16x3 => Bf16 * MmaShare / 3,
        GemmArithmetic.Tf32 => Tf32 * MmaShare,
        _ => Bf16 * MmaShare,
    };

    /// <summary>Blocks of a kernel that a multiprocessor holds at once, by its threads, registers and shared memory.</summary>
    /// <param name="threads">Of a block.</param>
    /// <param name="registers">Of a thread.</param>
    /// <param name="sharedBytes">Of a block, static and dynamic.</param>
    /// <returns>0 where not even one fits.</returns>
    public int ResidentBlocks(int threads, int registers, int sharedBytes)
    {
        int warps = (threads + KernelConstants.Warp - 1) / KernelConstants.Warp;
        int registersOfWarp = Up(Math.Max(registers, 1) * KernelConstants.Warp, RegisterUnit);
        int byRegisters = Registers / Quarters / registersOfWarp * Quarters / warps;
        int byShared = SharedBytes / Up(sharedBytes + ReservedSharedBytes, SharedUnit);
        return Math.Min(Math.Min(byRegisters, byShared), Math.Min(MostThreads / (warps * KernelConstants.Warp), MostBlocks));
    }

    private static int Up(int value, int unit) => (value + unit - 1) / unit * unit;
}
