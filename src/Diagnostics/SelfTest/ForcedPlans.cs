using Gradpath.Diagnostics.Ops;
using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Diagnostics.SelfTest;

/// <summary>
/// Every kernel of the matrix product and of groups of products, by every layout of its operands, with and without a split of the inner
/// dimension, with and without copies of 16 bytes; every kernel of the edge contraction; and those that measure the machine. The planner
/// takes the larger ones of the products only where these are too large for random checks.
/// </summary>
internal static class ForcedPlans
{
    // A rest behind the last whole step of the loop, and behind the last whole share.
    private const int AlignedDepth = 200, OddDepth = 203, Splits = 3;

    private static readonly int[] s_contractions = [8, 24, 40, 64, 80];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<ForcedPlan> All { get; } =
        [Plain(), ManyShares(), .. Tiles(), Packed(), .. Groups(), .. Contractions(), .. RateChecks.All];

    private static ForcedPlan Plain() => new(
        "gemmPlain", GemmArithmetic.Ffma,
        [
            .. from transposeA in Both from transposeB in Both
                select new PlanVariant(
                    shape => new GemmPlan(null, 1, shape.K), Product("Gemm", 19, 37, 21, transposeA, transposeB)),
        ]);

    // More shares than the last block of a tile adds.
    private static ForcedPlan ManyShares() => new(
        "gemmAddSplits", GemmArithmetic.Tf32x3,
        [
            .. from transposeB in Both
                select new PlanVariant(
                    shape => GemmPlan.Split(GemmTile.Of(GemmArithmetic.Tf32x3)[2], shape.K, 20),
                    Product(transposeB ? "nt, 20 shares" : "nn, 20 shares", 40, 72, 640, false, transposeB)),
        ]);

    private static bool[] Both => [false, true];

    private static IEnumerable<ForcedPlan> Tiles() =>
        from arithmetic in Enum.GetValues<GemmArithmetic>()
        from tile in GemmTile.Of(arithmetic).ToArray()
        from variants in Both.GroupBy(tile.KernelName, transposeB => Variants(tile, transposeB))
        select new ForcedPlan(variants.Key, arithmetic, [.. variants.SelectMany(v => v)]);

    // Several tiles down and across, the last of them in part.
    private static IEnumerable<PlanVariant> Variants(GemmTile tile, bool transposeB) =>
        from transposeA in Both
        from splits in (int[])[1, Splits]
        from aligned in Both
        let words = $"{(transposeA ? "t" : "n")}{(transposeB ? "t" : "n")}, {splits} shares{(aligned ? "" : ", odd")}"
        select new PlanVariant(
            shape => GemmPlan.Split(tile, shape.K, splits),
            aligned
                ? Product(words, tile.Rows + 4, tile.Columns + 12, AlignedDepth, transposeA, transposeB)
                : Product(words, tile.Rows + 3, tile.Columns + 9, OddDepth, transposeA, transposeB));

    // Rows and columns to the tile's rim and beyond, and steps of k that end within one.
    private static ForcedPlan Packed()
    {
        GemmTile tile = GemmTile.Packed;
        return new ForcedPlan(
            tile.KernelName(false), tile.Arithmetic,
            [
                .. from transposeB in Both
                    from splits in (int[])[1, Splits]
                    from rest in (int[])[0, 4]
                    select new PlanVariant(
                        shape => GemmPlan.Split(tile, shape.K, splits),
                        Product(
                            $"n{(transposeB ? "t" : "n")}, {splits} shares{(rest == 0 ? "" : ", odd")}", tile.Rows + 3 + rest,
                            tile.Columns + 12 - rest, AlignedDepth + rest, false, transposeB, packed: true)),
            ])
        {
            NeedsSm90a = true,
        };
    }

    private static OpCheck Product(string words, int m, int n, int k, bool transposeA, bool transposeB, bool packed = false)
    {
        return new OpCheck("Gemm", words, OpCase.Rounding, (device, seed) => Run(device, seed, false))
        {
            Magnitudes = (device, seed) => Run(device, seed, true),
        };

        double[][] Run(Device device, int seed, bool magnitudes)
        {
            using OpOperands x = new(device, seed, magnitudes);
            Matrix a = transposeA ? x.Draw((long)k * m).AsMatrix(k, m).T : x.Draw((long)m * k).AsMatrix(m, k);
            Matrix b = transposeB ? x.Draw((long)n * k).AsMatrix(n, k).T : x.Draw((long)k * n).AsMatrix(k, n);
            Matrix c = x.Draw((long)m * n).AsMatrix(m, n);
            if (packed && device is CudaDevice gpu) x.Own(gpu.PackFactors([b]));
            device.Gemm(a, b, c, new GemmOptions(Accumulate: true, Bias: x.Draw(n)));
            return x.All();
        }
    }

    private static IEnumerable<ForcedPlan> Groups() =>
        from arithmetic in Enum.GetValues<GemmArithmetic>()
        select new ForcedPlan(
            $"gemmGroups{(arithmetic == GemmArithmetic.Ffma ? "Plain" : arithmetic)}", arithmetic,
            [
                .. from accumulate in Both from aligned in Both
                    let depth = aligned ? AlignedDepth : OddDepth
                    select new PlanVariant(null, Group($"{(aligned ? "" : "odd, ")}{depth} deep", aligned ? 72 : 73, depth, accumulate)),
            ]);

    // Three members, two of one input, in C of two strides.
    private static OpCheck Group(string words, int n, int k, bool accumulate)
    {
        return new OpCheck("GroupedGemm", words, OpCase.Rounding, (device, seed) => Run(device, seed, false))
        {
            Magnitudes = (device, seed) => Run(device, seed, true),
        };

        double[][] Run(Device device, int seed, bool magnitudes)
        {
            const int m = 67;
            using OpOperands x = new(device, seed, magnitudes);
            int wide = 2 * n;
            ProductTable table = new(x.Integers(1, 0, 0, wide, 0, 1, 1, n, 1, 1, 2, wide), 0, 3, 1, 1, 2);
            Tensor a = x.Draw(2L * m * k), b = x.Draw(2L * k * n), bias = x.Draw(2 * n), c = x.Draw(3L * m * wide);
            device.GroupedGemm(
                new Matrix(a, 0, m, k, k), new Matrix(b, 0, k, n, n), new Matrix(c, 0, m, n, wide), table,
                new GemmOptions(accumulate, bias, 1, (long)m * k, (long)k * n, (long)m * wide));
            return x.All();
        }
    }

    private static IEnumerable<ForcedPlan> Contractions()
    {
        for (int i = 0; i < s_contractions.Length; i++)
        {
            // As many readers as it takes, the fewest for which it is chosen, and for the last more than it takes at once.
            int most = s_contractions[i], fewest = i == 0 ? 1 : s_contractions[i - 1] + 1;
            int[] readers = i < s_contractions.Length - 1 ? [fewest, most] : [fewest, most, most + 5];
            yield return new ForcedPlan($"contractEdges{most}", GemmArithmetic.Tf32x3, Contraction(readers));
        }
        yield return new ForcedPlan(
            $"{GemmTile.Contraction.KernelName(true)} of edges", GemmArithmetic.Ffma, Contraction([1, GemmTile.Contraction.Columns + 5]));
    }

    private static PlanVariant[] Contraction(int[] readers) =>
    [
        .. from count in readers
            from length in (int[])[1100, 1033]
            select new PlanVariant(null, new OpCheck("Edges", $"{count} readers, {length} long", OpCase.Rounding, (device, seed) =>
            {
                const int writers = 70, first = 3;
                using OpOperands x = new(device, seed);
                int stride = first + count + 2;
                Tensor delta = x.Draw((long)writers * length), gradients = x.Draw((long)count * length);
                DeviceArray<double> scores = x.DrawDoubles(writers * stride);
                device.ContractEdges(delta, writers, gradients, count, length, new ScoreBlock(scores, stride, first));
                return x.All();
            })),
    ];
}
