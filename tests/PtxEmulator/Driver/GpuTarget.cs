namespace Gradpath.PtxEmulator;

/// <summary>A GPU that kernels are assembled for.</summary>
/// <param name="Name">One GPU of its kind.</param>
/// <param name="Capability">Compute capability, times ten.</param>
/// <param name="Multiprocessors">Their number.</param>
/// <param name="SharedMemoryPerMultiprocessor">Bytes that the blocks of a multiprocessor share; one block may have a KiB less.</param>
internal sealed record GpuTarget(string Name, int Capability, int Multiprocessors, int SharedMemoryPerMultiprocessor)
{
    /// <summary>One GPU of each capability of the registers' table.</summary>
    public static IReadOnlyList<GpuTarget> All { get; } =
    [
        new("A100", 80, 108, 164 << 10),
        new("RTX 3090", 86, 82, 100 << 10),
        new("RTX 4090", 89, 128, 100 << 10),
        new("H100", 90, 132, 228 << 10),
        new("B200", 100, 148, 228 << 10),
        new("RTX 5090", 120, 170, 100 << 10),
    ];
}
