using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;
using Gradpath.Kernels.Cuda;

namespace Gradpath.PtxEmulator.Survey;

/// <summary>The kernels of the matrix product and of the edge contraction; every tile of every arithmetic is taken in turn.</summary>
internal static class ProductCases
{
    private const int Float = sizeof(float), Width = KernelCases.Width;

    // Rows that every tile divides; a depth that shows the loop.
    private const int Rows = 128, Depth = 256, Splits = 4;

    public static IEnumerable<KernelCase> Products()
    {
        yield return new("gemmPlain", "12 x 12 x 64", Float * ((2 * 12 * 64) + (12 * 12)), x =>
            x.Device.Gemm(x.Floats(12 * 64).AsMatrix(12, 64), x.Floats(64 * 12).AsMatrix(64, 12), x.Floats(12 * 12).AsMatrix(12, 12)));
        yield return new("gemmAddSplits", $"{Rows} x {Width}, {Splits} parts", Float * (Splits + 1.0) * Rows * Width, x =>
            Multiply(x, GemmTile.Of(GemmArithmetic.Tf32)[0], transposed: false, Splits));
        foreach (GemmArithmetic arithmetic in Enum.GetValues<GemmArithmetic>().OrderBy(a => GemmTile.Of(a)[0].File, StringComparer.Ordinal))
        {
            foreach (GemmTile tile in GemmTile.Of(arithmetic).ToArray())
            {
                foreach (bool transposed in arithmetic == GemmArithmetic.Ffma ? (bool[])[false] : [false, true])
                {
                    yield return new(
                        tile.KernelName(transposed),
                        $"{Rows} x {Width} x {Depth}{(transposed ? ", B transposed" : "")}",
                        Float * (((double)Rows * Depth) + ((double)Depth * Width) + ((double)Rows * Width)),
                        x => Multiply(x, tile, transposed, 1));
                }
            }
        }
    }

    public static IEnumerable<KernelCase> Contractions()
    {
        const int writers = 64, length = 8 * Width;
        foreach (int readers in new[] { 8, 24, 40, 64, 80 })
        {
            int slices = (length + CudaDevice.SliceLength(writers, readers, length) - 1) / CudaDevice.SliceLength(writers, readers, length);
            string shape = $"{writers} writers, {readers} readers, 8 x {Width}";
            double partials = (double)Float * slices * writers * readers;
            void Contract(KernelOperands x) => x.Device.ContractEdges(
                x.Floats(writers * length), writers, x.Floats((long)readers * length), readers, length, new ScoreBlock(x.Doubles(writers * readers), readers, 0));
            yield return new($"contractEdges{readers}", shape, (Float * (double)(writers + readers) * length) + partials, Contract);
            if (readers == 80) yield return new("contractAddSlices", $"{shape}: {slices} slices", partials + (2.0 * sizeof(double) * writers * readers), Contract);
        }
    }

    private static void Multiply(KernelOperands x, GemmTile tile, bool transposed, int splits)
    {
        x.Device.Arithmetic = tile.Arithmetic;
        x.Device.ForcedPlan = shape => GemmPlan.Split(tile, shape.K, splits);
        Matrix b = transposed ? x.Floats(Width * Depth).AsMatrix(Width, Depth).T : x.Floats(Depth * Width).AsMatrix(Depth, Width);
        x.Device.Gemm(x.Floats(Rows * Depth).AsMatrix(Rows, Depth), b, x.Floats(Rows * Width).AsMatrix(Rows, Width));
    }
}
