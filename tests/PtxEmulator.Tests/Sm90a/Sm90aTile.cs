namespace Gradpath.PtxEmulator.Tests.Sm90a;

/// <summary>A matrix of factors, and how it lies in shared memory as a kernel's author thinks of it: rows with pieces mixed up.</summary>
/// <param name="Type">f16, bf16 or tf32.</param>
/// <param name="Rows">Rows of m or n.</param>
/// <param name="Depth">k's.</param>
/// <param name="Swizzle">Bytes of a swizzled row; 0: none, in blocks of eight rows of 16 bytes.</param>
/// <param name="Transposed">Whether m or n runs along the rows.</param>
internal sealed record Sm90aTile(string Type, int Rows, int Depth, int Swizzle, bool Transposed)
{
    private readonly double[] _values = new double[Rows * Depth];

    /// <summary>Bytes of an element.</summary>
    public int Element => Type == "tf32" ? 4 : 2;

    /// <summary>Bytes in memory.</summary>
    public int Bytes => Rows * Depth * Element;

    private int Width => Swizzle == 0 ? 16 : Swizzle;

    // Rows in memory, and what runs along them.
    private (int Lines, int Along) Size => Transposed ? (Depth, Rows) : (Rows, Depth);

    /// <summary>The descriptor of the tile at an address, without that.</summary>
    public ulong Descriptor
    {
        get
        {
            // Blocks of eight lines lie one after another, behind them the next row's width.
            int block = 8 * Width, panel = Size.Lines * Width;
            (int leading, int stride) = Swizzle == 0 && Transposed ? (block, panel) : Swizzle == 0 ? (panel, block) : (panel, block);
            ulong mode = Swizzle switch { 128 => 1, 64 => 2, 32 => 3, _ => 0 };
            return (mode << 62) | ((ulong)(stride / 16) << 32) | ((ulong)(leading / 16) << 16);
        }
    }

    /// <summary>From the start of one step of 32 bytes of k to the next.</summary>
    public int StepBytes => Transposed ? Width * 16 : Swizzle == 0 ? 2 * Size.Lines * 16 : 32;

    /// <summary>Steps of k.</summary>
    public int Steps => Depth * Element / 32;

    public double this[int row, int k] => _values[(row * Depth) + k];

    /// <summary>Fills it with small multiples of 1/16, whose sums of products are exact.</summary>
    /// <param name="random">Numbers.</param>
    public Sm90aTile Fill(Random random)
    {
        for (int i = 0; i < _values.Length; i++) _values[i] = random.Next(-32, 33) / 16.0;
        return this;
    }

    /// <summary>Fills it with one number.</summary>
    /// <param name="value">The number.</param>
    public Sm90aTile Fill(double value)
    {
        Array.Fill(_values, value);
        return this;
    }

    /// <summary>As it lies in shared memory.</summary>
    public byte[] Laid()
    {
        byte[] bytes = new byte[Bytes];
        int each = 16 / Element, across = Width / 16;
        for (int row = 0; row < Rows; row++)
        {
            for (int k = 0; k < Depth; k++)
            {
                (int line, int along) = Transposed ? (k, row) : (row, k);
                int piece = along / each, panel = piece / across;
                int mix = Swizzle switch { 128 => line % 8, 64 => line / 2 % 4, 32 => line / 4 % 2, _ => 0 };
                int at = (panel * Size.Lines * Width) + (line * Width) + (((piece % across) ^ mix) * 16) + (along % each * Element);
                Bits(this[row, k]).CopyTo(bytes, at);
            }
        }
        return bytes;
    }

    /// <summary>Row by row, k along the rows.</summary>
    public byte[] Plain() => [.. Enumerable.Range(0, Rows * Depth).SelectMany(i => Bits(_values[i]))];

    private byte[] Bits(double value) => Type switch
    {
        "tf32" => BitConverter.GetBytes((float)value),
        "bf16" => BitConverter.GetBytes((ushort)(BitConverter.SingleToUInt32Bits((float)value) >> 16)),
        _ => BitConverter.GetBytes((Half)value),
    };
}
