using System.Numerics.Tensors;
using Gradpath.Kernels.Cpu;
using Tensor = Gradpath.Kernels.Tensor;

namespace Gradpath.Tests.Support.Ops;

/// <summary>One product to test: shapes, form and options; makes the operands, runs the device and compares with float64.</summary>
internal sealed record GemmCase
{
    public required int M { get; init; }

    public required int N { get; init; }

    public required int K { get; init; }

    public bool TransposeA { get; init; }

    public bool TransposeB { get; init; }

    public bool Accumulate { get; init; }

    public bool Bias { get; set; }

    public int Batch { get; init; } = 1;

    /// <summary>Elements between the end of a row and the start of the next.</summary>
    public int Pad { get; init; }

    /// <summary>Elements before the first.</summary>
    public int Offset { get; init; }

    public int Seed { get; init; }

    /// <summary>What rounding the factors may cost, as a share of the sum of magnitudes; 0 where they are not rounded.</summary>
    public double FactorRounding { get; init; }

    /// <summary>The whole storage of C after the product; on one thread alone if a worker is named.</summary>
    public unsafe float[] Run(Device device, int worker = -1)
    {
        Operands x = Make();
        using Tensor a = device.StoreTensor(x.A, x.A.Length);
        using Tensor b = device.StoreTensor(x.B, x.B.Length);
        using Tensor c = device.StoreTensor(x.C, x.C.Length);
        using Tensor bias = device.StoreTensor(x.Bias, N);
        Matrix ma = View(a, M, K, TransposeA), mb = View(b, K, N, TransposeB), mc = View(c, M, N, false);
        if (worker < 0)
        {
            device.Gemm(ma, mb, mc, new GemmOptions(Accumulate, Bias ? bias : null, Batch, x.StepA, x.StepB, x.StepC));
        }
        else
        {
            ((CpuDevice)device).GemmSerial(
                worker, new RawMatrix(ma), new RawMatrix(mb), new RawMatrix(mc), Accumulate, Bias ? (float*)bias.Address : null);
        }
        float[] result = new float[x.C.Length];
        device.Download(c, result);
        return result;
    }

    public void Check(Device device)
    {
        float[] result = Run(device);
        Operands x = Make();
        bool[] written = new bool[result.Length];
        for (int p = 0; p < Batch; p++)
        {
            double[] left = Rows(x.A, p * x.StepA, M, (i, k) => At(i, k, M, K, TransposeA)), absoluteLeft = [.. left.Select(Math.Abs)];
            double[] right = Rows(x.B, p * x.StepB, N, (j, k) => At(k, j, K, N, TransposeB)), absoluteRight = [.. right.Select(Math.Abs)];
            for (int i = 0; i < M; i++)
            {
                for (int j = 0; j < N; j++)
                {
                    double sum = TensorPrimitives.Dot<double>(left.AsSpan(i * K, K), right.AsSpan(j * K, K));
                    double size = TensorPrimitives.Dot<double>(absoluteLeft.AsSpan(i * K, K), absoluteRight.AsSpan(j * K, K));
                    long index = (p * x.StepC) + At(i, j, M, N, false);
                    double before = Accumulate ? x.C[index] : 0, added = Bias ? x.Bias[j] : 0;
                    double expected = sum + before + added;

                    // Rounding errors of a sum of K products: at most (K + 2) halves of an ulp of the sum of magnitudes; typically its
                    // root.
                    double tolerance = (size + Math.Abs(before) + Math.Abs(added)) * ((6e-8 * ((4 * Math.Sqrt(K)) + 4)) + FactorRounding);
                    Assert.True(
                        Math.Abs(result[index] - expected) <= tolerance, $"{this}: [{p}, {i}, {j}] is {result[index]}, not {expected}");
                    written[index] = true;
                }
            }
        }
        for (int index = 0; index < result.Length; index++)
        {
            Assert.True(
                written[index] || result[index] == x.C[index], $"{this}: element {index} of the storage, outside C, was overwritten");
        }
    }

    private double[] Rows(float[] values, long start, int rows, Func<int, int, long> at)
    {
        double[] result = new double[rows * K];
        for (int i = 0; i < result.Length; i++) result[i] = values[start + at(i / K, i % K)];
        return result;
    }

    private Matrix View(Tensor storage, int rows, int columns, bool transposed)
    {
        (int storedRows, int storedColumns) = transposed ? (columns, rows) : (rows, columns);
        return new Matrix(storage, Offset, storedRows, storedColumns, storedColumns + Pad, transposed);
    }

    private long At(int i, int j, int rows, int columns, bool transposed) =>
        transposed ? Offset + ((long)j * (rows + Pad)) + i : Offset + ((long)i * (columns + Pad)) + j;

    private Operands Make()
    {
        Random random = new(Seed);
        long stepA = Extent(M, K, TransposeA) + Pad, stepB = Extent(K, N, TransposeB), stepC = Extent(M, N, false) + (2 * Pad);
        return new Operands(
            Fill(Offset + (Batch * stepA)), Fill(Offset + (Batch * stepB)), Fill(Offset + (Batch * stepC)), Fill(N), stepA, stepB, stepC);

        long Extent(int rows, int columns, bool transposed) => transposed ? (long)columns * (rows + Pad) : (long)rows * (columns + Pad);

        float[] Fill(long length)
        {
            float[] values = new float[length];
            for (int i = 0; i < values.Length; i++) values[i] = ((float)random.NextDouble() * 2) - 1;
            return values;
        }
    }

    private readonly record struct Operands(float[] A, float[] B, float[] C, float[] Bias, long StepA, long StepB, long StepC);
}
