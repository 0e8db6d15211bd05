using Gradpath.Kernels.Cuda;

namespace Gradpath.Cuda.Tests;

/// <summary>The choice of tile and split, a pure function of the shape and the GPU.</summary>
public sealed class GemmPlanTests
{
    private const int SharedBytes = 227 << 10;
    private const int Multiprocessors = 132;

    public static TheoryData<int> Arithmetics => [.. Enum.GetValues<GemmArithmetic>().Select(a => (int)a)];

    [Theory]
    [MemberData(nameof(Arithmetics))]
    public void Every_plan_covers_the_inner_dimension_within_its_means(int arithmetic)
    {
        Random random = new(arithmetic);
        for (int round = 0; round < 3000; round++)
        {
            var shape = new GemmShape(Size(), Size(), random.Next(20) == 0 ? 0 : Size(), random.Next(4) == 0 ? random.Next(1, 200) : 1);
            int sharedBytes = random.Next(2) == 0 ? SharedBytes : 99 << 10, multiprocessors = random.Next(1, 150);
            long workspace = random.Next(2) == 0 ? CudaDevice.PartialsBytes : 100_000;
            bool transposed = random.Next(2) == 0;
            GemmPlan plan = GemmPlan.Choose(shape, (GemmArithmetic)arithmetic, transposed, multiprocessors, sharedBytes, workspace);
            Assert.Equal(plan, GemmPlan.Choose(shape, (GemmArithmetic)arithmetic, transposed, multiprocessors, sharedBytes, workspace));
            if (plan.Tile is null)
            {
                Assert.True(shape.Work <= 16_384, $"{shape} is done by the plain kernel");
                continue;
            }
            Assert.Equal((GemmArithmetic)arithmetic, plan.Tile.Arithmetic);
            Assert.True(plan.Tile.SharedBytes(transposed) <= sharedBytes);
            Assert.Equal(0, plan.Depth % 32);
            Assert.True(
                (long)plan.Splits * plan.Depth >= shape.K && (long)(plan.Splits - 1) * plan.Depth < shape.K,
                $"{shape}: {plan} does not cut K into its shares");
            Assert.True(plan.PartialBytes(shape) <= workspace, $"{shape}: {plan} needs more than the workspace");
        }

        int Size() => (int)Math.Pow(2, random.NextDouble() * 13);
    }

    [Theory]
    [MemberData(nameof(Arithmetics))]
    public void Some_tile_fits_the_smallest_shared_memory_of_a_supported_gpu(int arithmetic)
    {
        // Compute capability 8.6 and 8.9 allow a block 99 KiB, all others more.
        Assert.All(
            GemmTile.Of((GemmArithmetic)arithmetic).ToArray(),
            tile => Assert.InRange(Math.Max(tile.SharedBytes(false), tile.SharedBytes(true)), 1, 99 << 10));
    }

    // GPT-2 small with 320 rows: one tile of 128 x 128 for each of 18 blocks would leave six of seven multiprocessors idle.
    [Theory]
    [InlineData(320, 768, 768)]
    [InlineData(320, 768, 3072)]
    [InlineData(160, 768, 768)]
    [InlineData(20, 768, 3072)]
    public void Products_of_a_few_hundred_rows_spread_over_the_gpu(int m, int n, int k)
    {
        foreach (GemmArithmetic arithmetic in Enum.GetValues<GemmArithmetic>())
        {
            GemmPlan plan = Choose(new GemmShape(m, n, k, 1), arithmetic);
            int blocks = (m + plan.Tile!.Rows - 1) / plan.Tile.Rows * ((n + plan.Tile.Columns - 1) / plan.Tile.Columns) * plan.Splits;
            int unsplit = blocks / plan.Splits;
            Assert.True(
                blocks >= 48 && blocks > 18, $"{m} x {n} x {k}, {arithmetic}: {plan} makes {blocks} blocks ({unsplit} without a split)");
        }
    }

    [Fact]
    public void Large_products_take_the_largest_tile_and_no_split()
    {
        foreach (GemmArithmetic arithmetic in Enum.GetValues<GemmArithmetic>())
        {
            GemmPlan plan = Choose(new GemmShape(8192, 8192, 1024, 1), arithmetic);
            Assert.Equal((128, 128, 1), (plan.Tile!.Rows, plan.Tile.Columns, plan.Splits));
        }
    }

    [Fact]
    public void A_deep_product_with_a_small_result_is_split()
    {
        foreach (GemmArithmetic arithmetic in Enum.GetValues<GemmArithmetic>())
        {
            Assert.True(Choose(new GemmShape(64, 64, 8192, 1), arithmetic).Splits >= 8);
        }
    }

    [Fact]
    public void Names_of_kernels_are_in_the_committed_ptx()
    {
        foreach (GemmArithmetic arithmetic in Enum.GetValues<GemmArithmetic>())
        {
            foreach (GemmTile tile in GemmTile.Of(arithmetic).ToArray())
            {
                using var reader = new StreamReader(typeof(CudaDevice).Assembly.GetManifestResourceStream($"{tile.File}.ptx")!);
                string ptx = reader.ReadToEnd();
                foreach (bool transposed in (bool[])[false, true])
                {
                    int at = ptx.IndexOf($".entry {tile.KernelName(transposed)}(", StringComparison.Ordinal);
                    Assert.True(at >= 0, $"{tile.KernelName(transposed)} is not in {tile.File}.ptx");
                    string[] head = ptx[at..ptx.IndexOf(".reg", at, StringComparison.Ordinal)].Split(
                        [' ', ',', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries);
                    Assert.Equal($"{tile.Threads}", head[Array.IndexOf(head, ".maxntid") + 1]);
                    Assert.Equal($"{tile.Blocks}", head[Array.IndexOf(head, ".minnctapersm") + 1]);
                }
            }
        }
    }

    private static GemmPlan Choose(GemmShape shape, GemmArithmetic arithmetic) =>
        GemmPlan.Choose(shape, arithmetic, false, Multiprocessors, SharedBytes, CudaDevice.PartialsBytes);
}
