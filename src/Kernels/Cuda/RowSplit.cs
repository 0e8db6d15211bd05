using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cuda;

/// <summary>How the elements of a row are dealt to threads: by fours where all addresses allow it, in parts of one block each.</summary>
/// <param name="Quads">Whether an element is four floats.</param>
/// <param name="Parts">Blocks per row.</param>
/// <param name="Threads">Threads of a block, one element each.</param>
internal readonly record struct RowSplit(bool Quads, int Parts, int Threads)
{
    private const int MostThreads = 256;
    private const int QuadBytes = 16;

    /// <summary>Deals out a row.</summary>
    /// <param name="width">Floats of a row.</param>
    /// <param name="addresses">Where the operands start; their rows are that width apart.</param>
    /// <returns>The division.</returns>
    public static RowSplit Of(int width, params ReadOnlySpan<nint> addresses)
    {
        bool quads = Aligned(addresses) && width % 4 == 0;
        int elements = quads ? width / 4 : width;
        int parts = Math.Max(1, (elements + MostThreads - 1) / MostThreads);
        int each = (elements + parts - 1) / parts;
        return new RowSplit(quads, parts, Math.Max(Warp, (each + Warp - 1) / Warp * Warp));
    }

    /// <summary>Whether all addresses are multiples of four floats.</summary>
    public static bool Aligned(params ReadOnlySpan<nint> addresses)
    {
        nint bits = 0;
        foreach (nint address in addresses) bits |= address;
        return bits % QuadBytes == 0;
    }

    /// <summary>The blocks for some rows.</summary>
    public int Blocks(long rows) => checked((int)(rows * Parts));
}
