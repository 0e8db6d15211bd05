using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Execution;

/// <summary>wgmma.mma_async: D = A B or D + A B, of 64 rows, by the 128 threads of a warpgroup.</summary>
/// <remarks>It adds as <see cref="Matrices"/> does.</remarks>
/// <param name="Width">Columns.</param>
/// <param name="Type">Of the factors: f16, bf16 or tf32.</param>
/// <param name="TransposeA">Whether A lies with m along its rows in memory.</param>
/// <param name="TransposeB">Whether B lies with n along its rows in memory.</param>
/// <param name="Sums">Where a thread's frame holds its elements of D.</param>
/// <param name="Factors">Where it holds those of A; empty where A lies in shared memory.</param>
internal sealed unsafe record WarpgroupProduct(int Width, PtxType Type, bool TransposeA, bool TransposeB, int[] Sums, int[] Factors)
{
    /// <summary>Rows of A and D.</summary>
    public const int Rows = 64;

    private const int MostDepth = 16, Block = 8;

    /// <summary>A register that was touched since the last wgmma.fence, by the code's looks; null where none was.</summary>
    public string? Unfenced { get; init; }

    /// <summary>k's: 32 bytes of a row.</summary>
    public int Depth => Type == PtxType.TF32 ? 8 : 16;

    /// <summary>Rows and pieces of A in shared memory.</summary>
    public (int Lines, int Pieces) OfA => TransposeA ? (Depth, Rows / 8) : (Rows, 2);

    /// <summary>Rows and pieces of B in shared memory.</summary>
    public (int Lines, int Pieces) OfB => TransposeB ? (Depth, Width / 8) : (Width, 2);

    /// <summary>Makes the product.</summary>
    /// <param name="frames">The frame of the warpgroup's first thread.</param>
    /// <param name="frameBytes">Bytes from one frame to the next.</param>
    /// <param name="shared">The block's shared memory.</param>
    /// <param name="a">The descriptor of A.</param>
    /// <param name="b">The descriptor of B.</param>
    /// <param name="adds">Whether it adds to D.</param>
    /// <param name="rounding">How the tensor core adds; null: exactly within a group of k's.</param>
    public void Multiply(byte* frames, int frameBytes, byte* shared, ulong a, ulong b, bool adds, TensorRounding? rounding)
    {
        double* left = stackalloc double[Rows * MostDepth], right = stackalloc double[MostDepth * 256];
        double* sums = stackalloc double[Rows * 256];
        if (Factors.Length == 0) Load(new MatrixDescriptor(a), OfA, TransposeA, shared, left, 1, Depth);
        else LoadFactors(frames, frameBytes, left);
        Load(new MatrixDescriptor(b), OfB, TransposeB, shared, right, Width, 1);
        for (int thread = 0; thread < 128; thread++)
        {
            byte* frame = frames + ((long)thread * frameBytes);
            for (int i = 0; i < Sums.Length; i++) sums[Place(thread, i)] = adds ? *(float*)(frame + Sums[i]) : 0;
        }
        bool tf32 = Type == PtxType.TF32;
        if (rounding is null)
        {
            Add(left, right, sums, tf32 ? 4 : 8);
        }
        else
        {
            int together = tf32 ? rounding.Tf32Group : rounding.HalfGroup, least = Type == PtxType.F16 ? -14 : -126;
            for (int row = 0; row < Rows; row++)
            {
                double* to = sums + (row * Width);
                for (int n = 0; n < Width; n++)
                    to[n] = rounding.Add(left + (row * Depth), right + n, Width, to[n], Depth, together, least);
            }
        }
        for (int thread = 0; thread < 128; thread++)
        {
            byte* frame = frames + ((long)thread * frameBytes);
            for (int i = 0; i < Sums.Length; i++) *(float*)(frame + Sums[i]) = (float)sums[Place(thread, i)];
        }
    }

    // A warp has 16 rows; of eight columns a thread has two neighbours in one row and two in the row eight below.
    private int Place(int thread, int i) =>
        (((thread / 32 * 16) + (thread % 32 / 4) + (i / 2 % 2 * 8)) * Width) + (i / 4 * 8) + (thread % 4 * 2) + (i % 2);

    // Element (k, line) goes to `target` at k * kStride + line * lineStride.
    private void Load(MatrixDescriptor from, (int Lines, int Pieces) size, bool transposed, byte* shared, double* target, int kStride,
        int lineStride)
    {
        int each = Type == PtxType.TF32 ? 4 : 8;
        for (int line = 0; line < size.Lines; line++)
        {
            for (int piece = 0; piece < size.Pieces; piece++)
            {
                byte* at = shared + from.Piece(line, piece, transposed);
                double* to = transposed
                    ? target + (line * kStride) + (piece * each * lineStride) : target + (line * lineStride) + (piece * each * kStride);
                int step = transposed ? lineStride : kStride;
                for (int e = 0; e < each; e++) to[e * step] = Value(at, e);
            }
        }
    }

    private double Value(byte* at, int e) => Type switch
    {
        PtxType.TF32 => BitConverter.UInt32BitsToSingle(((uint*)at)[e] & 0xFFFFE000),
        PtxType.BF16 => BitConverter.UInt32BitsToSingle((uint)((ushort*)at)[e] << 16),
        _ => (double)BitConverter.UInt16BitsToHalf(((ushort*)at)[e]),
    };

    // As A of mma.sync: rows g and g + 8, then the same further along k.
    private void LoadFactors(byte* frames, int frameBytes, double* target)
    {
        int each = Type == PtxType.TF32 ? 1 : 2;
        for (int thread = 0; thread < 128; thread++)
        {
            byte* frame = frames + ((long)thread * frameBytes);
            for (int i = 0; i < 4; i++)
            {
                int row = (thread / 32 * 16) + (thread % 32 / 4) + (i % 2 * 8), k = (thread % 4 * each) + (i / 2 * 4 * each);
                for (int e = 0; e < each; e++) target[(row * Depth) + k + e] = Value(frame + Factors[i], e);
            }
        }
    }

    // k ascends in groups, after each of which the sums are cut to f32.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Add(double* left, double* right, double* sums, int step)
    {
        int depth = Depth, width = Width;
        Vector256<ulong> kept = Vector256.Create(~0x1FFFFFFFUL);
        for (int first = 0; first < width; first += Block)
        {
            for (int row = 0; row < Rows; row++)
            {
                double* to = sums + (row * width) + first, factors = left + (row * depth);
                Vector256<double> low = Vector256.Load(to), high = Vector256.Load(to + 4);
                for (int start = 0; start < depth; start += step)
                {
                    for (int k = start; k < start + step; k++)
                    {
                        Vector256<double> factor = Vector256.Create(factors[k]);
                        low += factor * Vector256.Load(right + (k * width) + first);
                        high += factor * Vector256.Load(right + (k * width) + first + 4);
                    }
                    low = (low.AsUInt64() & kept).AsDouble();
                    high = (high.AsUInt64() & kept).AsDouble();
                }
                low.Store(to);
                high.Store(to + 4);
            }
        }
    }
}
