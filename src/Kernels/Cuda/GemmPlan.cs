using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cuda;

/// <summary>How a product is done: a tile, or null for the plain kernel, and in how many shares of the inner dimension.</summary>
/// <param name="Tile">The tile kernel, or null.</param>
/// <param name="Splits">Shares of K; more than one needs a second kernel that adds them.</param>
/// <param name="Depth">k's of a share, a multiple of <see cref="MmaDepth"/>; the last may be shorter.</param>
internal readonly record struct GemmPlan(GemmTile? Tile, int Splits, int Depth)
{
    // Up to here one thread per element of C costs no more than starting a tile's pipeline.
    private const double PlainWork = 16_384;

    /// <summary>Most shares of the inner dimension.</summary>
    public const int MostSplits = 32;

    private const int LeastDepth = 96;

    // Estimates, in clocks; the choice needs their ratios only.
    private const double ResidentWarps = 8;       // warps that keep a multiprocessor's units busy
    private const double FillClocks = 1500;       // first copies and last stores of a block, which overlap with nothing of its own
    private const double SecondStageClocks = 4000;
    private const double ArrivalClocks = 800;     // fence, counter, and waiting for what the last block reads

    // A plan of two launches has to save a fifth, which is more than the estimates are sure of: a launch is work for the host as well.
    private const double MostOfTwoLaunches = 0.8;

    /// <summary>Most floats of a tile's shares that one block adds, in about the time of a second launch.</summary>
    public const int MostAddedInPlace = 65_536;

    /// <summary>Most tiles whose blocks are counted.</summary>
    public const int MostCounted = 1 << 14;

    /// <summary>
    /// Chooses the tile and the split with the least estimated time. A pure function: the same arguments give the same plan.
    /// </summary>
    /// <param name="product">The product.</param>
    /// <param name="gpu">The GPU.</param>
    /// <returns>The plan.</returns>
    public static GemmPlan Choose(in GemmPlanKey product, GemmGpu gpu)
    {
        GemmShape shape = product.Shape;
        if (shape.Work <= PlainWork) return new GemmPlan(null, 1, shape.K);
        GemmPlan best = default, bestOfTwo = default;
        double least = double.PositiveInfinity, leastOfTwo = double.PositiveInfinity;
        foreach (GemmTile tile in GemmTile.Of(product.Arithmetic, product.Packed))
        {
            int resident = gpu.Blocks(tile, product.TransposedB);
            if (resident == 0) continue;
            int previous = 0;
            for (int wanted = 1; wanted <= MostSplits; wanted++)
            {
                GemmPlan plan = Split(tile, shape.K, wanted);
                if (plan.Splits == previous) continue;
                previous = plan.Splits;
                if (plan.Splits > 1 && !plan.MaySplit(product)) break;
                double clocks = plan.Clocks(shape, gpu, resident);
                if (plan.Splits > 1 && !plan.AddsInPlace(shape))
                {
                    if (clocks < leastOfTwo) (leastOfTwo, bestOfTwo) = (clocks, plan);
                }
                else if (clocks < least)
                {
                    (least, best) = (clocks, plan);
                }
            }
        }
        return leastOfTwo < MostOfTwoLaunches * least ? bestOfTwo : best;
    }

    /// <summary>Every plan that a choice has.</summary>
    /// <param name="product">The product.</param>
    /// <param name="gpu">The GPU.</param>
    /// <returns>The plain kernel for small products, else each tile with each split that is allowed.</returns>
    public static List<GemmPlan> Candidates(in GemmPlanKey product, GemmGpu gpu)
    {
        GemmShape shape = product.Shape;
        List<GemmPlan> all = [];
        if (shape.Work <= PlainWork) all.Add(new GemmPlan(null, 1, shape.K));
        foreach (GemmTile tile in GemmTile.Of(product.Arithmetic, product.Packed))
        {
            if (gpu.Blocks(tile, product.TransposedB) == 0) continue;
            for (int wanted = 1; wanted <= MostSplits; wanted++)
            {
                GemmPlan plan = Split(tile, shape.K, wanted);
                if (plan.Splits > 1 && !plan.MaySplit(product)) break;
                if (all.Count == 0 || all[^1] != plan) all.Add(plan);
            }
        }
        return all;
    }

    /// <summary>Whether the shares are long enough, and their sums fit their room.</summary>
    /// <param name="product">The product.</param>
    public bool MaySplit(in GemmPlanKey product) => Depth >= LeastDepth && PartialBytes(product.Shape) <= product.WorkspaceBytes;

    /// <summary>A tile with K cut into about so many equal shares.</summary>
    /// <param name="tile">The tile.</param>
    /// <param name="k">Extent of the inner dimension.</param>
    /// <param name="splits">Shares wanted; fewer where they would be empty.</param>
    /// <returns>The plan.</returns>
    public static GemmPlan Split(GemmTile tile, int k, int splits)
    {
        int units = Math.Max(1, (k + MmaDepth - 1) / MmaDepth);
        int depth = (units + splits - 1) / splits;
        return new GemmPlan(tile, (units + depth - 1) / depth, depth * MmaDepth);
    }

    /// <summary>
    /// Whether the last block of a tile adds its shares up, in place of a second kernel: where there are few, since one block does it.
    /// The sums are the same to the bit.
    /// </summary>
    /// <param name="shape">The product.</param>
    /// <returns>False without a split.</returns>
    public bool AddsInPlace(in GemmShape shape) => Splits > 1 && (long)Splits * Tile!.Rows * Tile.Columns <= MostAddedInPlace
        && Math.Ceiling((double)shape.M / Tile.Rows) * Math.Ceiling((double)shape.N / Tile.Columns) * shape.Batch <= MostCounted;

    /// <summary>Room that the partial sums of all members need.</summary>
    /// <param name="shape">The product.</param>
    /// <returns>Bytes; 0 without a split.</returns>
    public long PartialBytes(in GemmShape shape) =>
        Splits == 1 ? 0 : (long)shape.Batch * Splits * shape.M * shape.PartialPitch * sizeof(float);

    /// <summary>Estimated time.</summary>
    /// <param name="shape">The product.</param>
    /// <param name="gpu">The GPU.</param>
    /// <param name="resident">Blocks of the tile that a multiprocessor holds at once.</param>
    /// <returns>Clocks.</returns>
    public double Clocks(in GemmShape shape, GemmGpu gpu, int resident)
    {
        GemmTile tile = Tile!;
        int multiprocessors = gpu.Multiprocessors;
        double tilesDown = Math.Ceiling((double)shape.M / tile.Rows), tilesAcross = Math.Ceiling((double)shape.N / tile.Columns);
        double blocks = tilesDown * tilesAcross * shape.Batch * Splits;
        double onOne = Math.Ceiling(blocks / multiprocessors);
        double together = Math.Min(onOne, resident);
        double busy = Math.Min(1, together * ((double)tile.Threads / Warp) / ResidentWarps);
        double depth = Math.Ceiling(Math.Min(Depth, Math.Max(shape.K, 1)) / (double)tile.Depth) * tile.Depth;
        double arithmetic = onOne * tile.Rows * tile.Columns * depth / (gpu.Rate(tile) * busy);
        double operands = sizeof(float) * (double)shape.K * shape.Batch;
        double cached = operands * ((tilesAcross * shape.M) + (tilesDown * shape.N)) / (gpu.CacheBytes * Math.Min(blocks, multiprocessors));
        double fromMemory =
            ((operands * (shape.M + shape.N)) + (sizeof(float) * (double)shape.M * shape.N * shape.Batch)) / gpu.MemoryBytes;
        double clocks = Math.Max(arithmetic, Math.Max(cached, fromMemory)) + (Math.Ceiling(onOne / resident) * FillClocks);
        if (Splits == 1) return clocks;
        double added = sizeof(float) * (double)Splits * tile.Rows * tile.Columns;
        if (AddsInPlace(shape)) return clocks + ArrivalClocks + (added / gpu.CacheBytes);
        return clocks + SecondStageClocks + (2 * PartialBytes(shape) / (gpu.CacheBytes * multiprocessors));
    }
}
