using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Kernels.Cuda;

/// <summary>
/// What the choice of a plan weighs of a GPU: its extent, its rates, and how many blocks of a tile a multiprocessor holds.
/// </summary>
internal sealed class GemmGpu
{
    private readonly GpuRates _rates;
    private readonly Func<GemmTile, bool, int>? _ask;
    private readonly Dictionary<(GemmTile Tile, bool TransposedB), int> _blocks = [];

    /// <summary>Describes a GPU.</summary>
    /// <param name="info">What the driver tells; what it does not tell (0) is from the table of capabilities.</param>
    /// <param name="ask">
    /// Asks the driver how many blocks of a tile are resident; asked of a capability alone that the table lacks, so that the plans of a
    /// known one are the same by every driver. Null where there is none to ask.
    /// </param>
    public GemmGpu(CudaDeviceInfo info, Func<GemmTile, bool, int>? ask = null)
    {
        int capability = (10 * info.Major) + info.Minor;
        GpuRates known = GpuRates.Of(capability);
        _rates = info.SharedMemoryPerMultiprocessor > 0 ? known with { SharedBytes = info.SharedMemoryPerMultiprocessor } : known;
        _ask = GpuRates.Knows(capability) ? null : ask;
        Multiprocessors = info.Multiprocessors;
        SharedBytesPerBlock = info.SharedMemoryPerBlock;
        MemoryBytes = info is { MemoryBytesPerSecond: > 0, ClockKilohertz: > 0 }
            ? info.MemoryBytesPerSecond / (1e3 * info.ClockKilohertz)
            : known.MemoryBytes * info.Multiprocessors;
        TensorFloat32 = Best(GemmArithmetic.Fp16x3) > Best(GemmArithmetic.Tf32x3) ? GemmArithmetic.Fp16x3 : GemmArithmetic.Tf32x3;
        Float32 = Best(TensorFloat32) > Best(GemmArithmetic.Ffma) ? TensorFloat32 : GemmArithmetic.Ffma;
    }

    /// <summary>Number of multiprocessors.</summary>
    public int Multiprocessors { get; }

    /// <summary>Most dynamic shared memory of a block.</summary>
    public int SharedBytesPerBlock { get; }

    /// <summary>Bytes per clock of the whole GPU's memory.</summary>
    public double MemoryBytes { get; }

    /// <summary>Bytes per clock that a multiprocessor gets from the second-level cache.</summary>
    public double CacheBytes => _rates.CacheBytes;

    /// <summary>The fastest arithmetic with float32's accuracy: three products of halves or of TF32, or the ordinary units.</summary>
    public GemmArithmetic Float32 { get; }

    /// <summary>The faster of those on tensor cores.</summary>
    public GemmArithmetic TensorFloat32 { get; }

    /// <summary>Multiply-adds per clock of a full multiprocessor: what the loop allows, as far as the units do.</summary>
    /// <param name="tile">The tile.</param>
    /// <returns>An estimate; the choice needs the ratios only.</returns>
    public double Rate(GemmTile tile) => tile.Arithmetic == GemmArithmetic.Ffma
        ? tile.Rate * _rates.Ffma / GemmTile.FfmaUnits
        : Math.Min(tile.Rate, tile.IsPacked ? _rates.PackedCeiling : _rates.Ceiling(tile.Arithmetic));

    /// <summary>Blocks of a tile kernel that a multiprocessor holds at once.</summary>
    /// <param name="tile">The tile.</param>
    /// <param name="transposedB">Whether B is stored with k contiguous.</param>
    /// <returns>0 where its shared memory is more than a block may have.</returns>
    public int Blocks(GemmTile tile, bool transposedB)
    {
        if (_blocks.TryGetValue((tile, transposedB), out int blocks)) return blocks;
        blocks = tile.SharedBytes(transposedB) > SharedBytesPerBlock ? 0 : _ask?.Invoke(tile, transposedB) ?? Count(tile, transposedB);
        _blocks.Add((tile, transposedB), blocks);
        return blocks;
    }

    private int Count(GemmTile tile, bool transposedB)
    {
        string kernel = tile.KernelName(transposedB);
        int registers = TileRegisters.Of(kernel, _rates.Capability) ?? throw new ArgumentException($"registers of {kernel} are not known");
        return _rates.ResidentBlocks(tile.Threads, registers, tile.SharedBytes(transposedB));
    }

    private double Best(GemmArithmetic arithmetic)
    {
        double best = 0;
        foreach (GemmTile tile in GemmTile.Of(arithmetic)) best = Math.Max(best, Rate(tile));
        return best;
    }
}
