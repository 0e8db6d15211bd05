namespace Gradpath.PtxEmulator.Execution;

/// <summary>Where a matrix of wgmma lies in shared memory, in pieces of 16 bytes.</summary>
/// <remarks>
/// Bits 0 to 13 are the start, 16 to 29 the leading and 32 to 45 the stride offset, each in units of 16 bytes; 49 to 51 a base offset;
/// 62 and 63 say in how wide rows the pieces are swizzled: 0 not at all, 1 of 128, 2 of 64 and 3 of 32 bytes. Eight rows make up a
/// pattern, within which a piece's place in its row is changed by the bits of its address from bit 7 on.
/// Where k runs along the rows, a row is one of m or n; the stride leads from eight rows to the next eight. Where m or n runs along the
/// rows, a row is one of k; the stride leads from eight k's to the next, the leading offset from one row's width of m or n to the next.
/// Without a swizzle rows are one piece wide, and the leading offset leads along k, the stride along m or n, in both cases.
/// </remarks>
/// <param name="bits">The descriptor.</param>
internal readonly struct MatrixDescriptor(ulong bits)
{
    private const ulong Reserved = 0x3FF1_C000_C000_C000;
    private readonly uint _start = (uint)(bits & 0x3FFF) << 4;
    private readonly uint _leading = (uint)(bits >> 16 & 0x3FFF) << 4;
    private readonly uint _stride = (uint)(bits >> 32 & 0x3FFF) << 4;
    private readonly uint _across = (bits >> 62) switch { 1 => 8, 2 => 4, 3 => 2, _ => 1 };

    /// <summary>The address of a piece.</summary>
    /// <param name="line">The row: of m or n, or of k where the matrix is transposed.</param>
    /// <param name="piece">Which piece of the row's k's, or of its m's or n's.</param>
    /// <param name="transposed">Whether m or n runs along the rows.</param>
    public uint Piece(int line, int piece, bool transposed)
    {
        uint group = (uint)line / 8, within = (uint)line % 8, at = (uint)piece;
        if (_across == 1)
        {
            (uint along, uint down) = transposed ? (_stride, _leading) : (_leading, _stride);
            return _start + (group * down) + (within * 16) + (at * along);
        }
        uint place = _start + (group * _stride) + (within * _across * 16) + (at % _across * 16) + (at / _across * _leading);
        return place ^ ((place >> 7 & (_across - 1)) << 4);
    }

    /// <summary>What is wrong with it; null where nothing is.</summary>
    /// <param name="lines">Rows that are read.</param>
    /// <param name="pieces">Pieces of each.</param>
    /// <param name="transposed">Whether m or n runs along the rows.</param>
    public string? Wrong(int lines, int pieces, bool transposed)
    {
        uint width = _across * 16, pattern = _across == 1 ? 128 : width * 8;
        if ((bits & Reserved) != 0) return $"bits that must be 0 are set in 0x{bits:x16}";
        if ((bits >> 49 & 7) != 0) return "a base offset is not emulated";
        if (_across == 1) return null;
        uint into = _start % pattern;
        if (transposed ? into != 0 : into >= width || into % 32 != 0 || into + (16 * (uint)pieces) > width)
        {
            return $"it begins {into} bytes into a pattern of {pattern} bytes, the swizzle's; "
                + (transposed ? "it must begin with one" : "it may begin at a multiple of 32 bytes within the first row");
        }
        if (lines > 8 && _stride % pattern != 0)
            return $"its stride of {_stride} bytes is no multiple of the swizzle's pattern of {pattern}";
        if (transposed && pieces > _across && _leading % pattern != 0)
            return $"its leading offset of {_leading} bytes is no multiple of the swizzle's pattern of {pattern}";
        return null;
    }
}
