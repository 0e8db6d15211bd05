using Gradpath.Kernels.Circuits;
using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cuda;

// Groups of products: one launch for all members, each of which walks along the whole inner dimension.
public sealed partial class CudaDevice
{
    private Kernel? _gemmGroupsTf32x3, _gemmGroupsFp16x3, _gemmGroupsTf32, _gemmGroupsBf16, _gemmGroupsPlain;

    /// <summary>On tensor cores of its own; else members are products by themselves, which cuBLAS or the plain tiles do better.</summary>
    internal override bool GroupsProducts => _cublas is null && Arithmetic != GemmArithmetic.Ffma;

    private protected override void GroupedGemmCore(
        in Matrix a, in Matrix b, in Matrix c, in ProductTable table, in GemmOptions options)
    {
        for (int first = 0; first < table.Count; first += MostInZ)
        {
            ProductTable part = table with { First = table.First + first, Count = Math.Min(MostInZ, table.Count - first) };
            if (Arithmetic == GemmArithmetic.Ffma) GroupPlain(a, b, c, part, options);
            else GroupTiles(a, b, c, part, options);
        }
    }

    private void GroupTiles(in Matrix a, in Matrix b, in Matrix c, in ProductTable table, in GemmOptions options)
    {
        GemmTile tile = GroupTile(Arithmetic);
        Kernel kernel = Arithmetic switch
        {
            GemmArithmetic.Tf32x3 => Load(ref _gemmGroupsTf32x3, "Grouped", "gemmGroupsTf32x3", tile.SharedBytes(false)),
            GemmArithmetic.Fp16x3 => Load(ref _gemmGroupsFp16x3, "Grouped", "gemmGroupsFp16x3", tile.SharedBytes(false)),
            GemmArithmetic.Tf32 => Load(ref _gemmGroupsTf32, "Grouped", "gemmGroupsTf32", tile.SharedBytes(false)),
            _ => Load(ref _gemmGroupsBf16, "Grouped", "gemmGroupsBf16", tile.SharedBytes(false)),
        };
        Launch(
            kernel,
            (checked(Blocks(c.Rows, tile.Rows) * Blocks(c.Columns, tile.Columns)), 1, table.Count),
            tile.Threads,
            tile.SharedBytes(false),
            AddressOf(a), AddressOf(b), AddressOf(c), options.Bias, At(table.Entries, ProductTable.Numbers * table.First),
            options.StepA, options.StepB, options.StepC, c.Rows, c.Columns, a.Columns, a.Stride, b.Stride,
            CopyAlong(a, options.StepA), CopyAlong(b, options.StepB), CopyAlong(c, options.StepC) == CopyWide ? 1 : 0,
            options.Accumulate ? 1 : 0);
    }

    private void GroupPlain(in Matrix a, in Matrix b, in Matrix c, in ProductTable table, in GemmOptions options) => Launch(
        Load(ref _gemmGroupsPlain, "Grouped", "gemmGroupsPlain"),
        (checked(Blocks(c.Rows, PlainSide) * Blocks(c.Columns, PlainSide)), 1, table.Count),
        PlainSide * PlainSide,
        0,
        AddressOf(a), AddressOf(b), AddressOf(c), options.Bias, At(table.Entries, ProductTable.Numbers * table.First),
        options.StepA, options.StepB, options.StepC, c.Rows, c.Columns, a.Columns, a.Stride, b.Stride, options.Accumulate ? 1 : 0);

    // Heads are 64 wide.
    private static GemmTile GroupTile(GemmArithmetic arithmetic)
    {
        foreach (GemmTile tile in GemmTile.Of(arithmetic))
        {
            if (tile is { Rows: 64, Columns: 64 }) return tile;
        }
        throw new InvalidOperationException("no tile of 64 x 64");
    }
}
