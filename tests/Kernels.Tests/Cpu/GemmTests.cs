using Gradpath.Kernels.Cpu;

namespace Gradpath.Kernels.Tests;

/// <summary>
/// The CPU's matrix product against a float64 product written out in <see cref="GemmCase"/>, for every set of inner loops.
/// </summary>
public sealed class GemmTests
{
    public static TheoryData<int> VectorBits => [512, 256, 128, 32];

    [SkippableTheory]
    [MemberData(nameof(VectorBits))]
    public void Random_shapes_in_all_forms_with_strides_offsets_batches_accumulation_and_bias(int bits)
    {
        using CpuDevice device = new(3, Needs.Loops(bits));
        Random random = new(bits);
        for (int round = 0; round < 400; round++)
        {
            GemmCase shape = new()
            {
                M = Size(random),
                N = Size(random),
                K = random.Next(12) == 0 ? 0 : Size(random),
                TransposeA = random.Next(2) == 1,
                TransposeB = random.Next(2) == 1,
                Accumulate = random.Next(2) == 1,
                Batch = random.Next(3) == 0 ? random.Next(2, 5) : 1,
                Pad = random.Next(2) * random.Next(1, 9),
                Offset = random.Next(2) * random.Next(1, 20),
                Seed = round,
            };
            shape.Bias = shape.Batch == 1 && random.Next(2) == 1;
            shape.Check(device);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(VectorBits))]
    public void Every_small_height_width_and_depth(int bits)
    {
        using CpuDevice device = new(2, Needs.Loops(bits));
        for (int m = 1; m <= 26; m++)
        {
            foreach (int n in (int[])[1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 65])
            {
                foreach (int k in (int[])[1, 3, 16, 21])
                {
                    for (int form = 0; form < 4; form++)
                    {
                        new GemmCase
                        {
                            M = m,
                            N = n,
                            K = k,
                            TransposeA = (form & 1) != 0,
                            TransposeB = (form & 2) != 0,
                            Pad = 1,
                            Seed = m,
                        }.Check(device);
                    }
                }
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(VectorBits))]
    public void Shapes_that_fill_several_blocks(int bits)
    {
        using CpuDevice device = new(2, Needs.Loops(bits));
        for (int form = 0; form < 4; form++)
        {
            bool ta = (form & 1) != 0, tb = (form & 2) != 0;
            new GemmCase { M = 541, N = 70, K = 801, TransposeA = ta, TransposeB = tb, Bias = true, Seed = form }.Check(device);
            new GemmCase { M = 13, N = 530, K = 799, TransposeA = ta, TransposeB = tb, Accumulate = true, Seed = form }.Check(device);
            new GemmCase { M = 160, N = 768, K = 64, TransposeA = ta, TransposeB = tb, Batch = 3, Seed = form }.Check(device);
            new GemmCase { M = 1, N = 1030, K = 768, TransposeA = ta, TransposeB = tb, Seed = form }.Check(device);
            new GemmCase { M = 20, N = 1030, K = 768, TransposeA = ta, TransposeB = tb, Bias = true, Seed = form }.Check(device);
            new GemmCase { M = 57, N = 36, K = 12_301, TransposeA = ta, TransposeB = tb, Accumulate = true, Seed = form }.Check(device);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(VectorBits))]
    public void A_depth_of_zero_leaves_the_bias_nothing_or_what_was_there(int bits)
    {
        using CpuDevice device = new(2, Needs.Loops(bits));
        for (int option = 0; option < 4; option++)
        {
            new GemmCase { M = 19, N = 45, K = 0, Accumulate = (option & 1) != 0, Bias = (option & 2) != 0, Pad = 3 }.Check(device);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(VectorBits))]
    public void The_same_bits_on_every_run_and_for_every_number_of_workers(int bits)
    {
        foreach (GemmCase shape in (GemmCase[])[
            new() { M = 160, N = 771, K = 801 },
            new() { M = 500, N = 200, K = 400, TransposeB = true },
            new() { M = 20, N = 3000, K = 768, TransposeB = true },
            new() { M = 157, N = 36, K = 9000, TransposeB = true },
            new() { M = 37, N = 96, K = 64, TransposeA = true, Batch = 7 },
            new() { M = 5, N = 64, K = 900, Bias = true }])
        {
            float[]? first = null;
            for (int workers = 1; workers <= 4; workers++)
            {
                using CpuDevice device = new(workers, Needs.Loops(bits));
                for (int run = 0; run < 3; run++)
                {
                    float[] result = shape.Run(device);
                    first ??= result;
                    Assert.True(first.AsSpan().SequenceEqual(result), $"{shape} differs with {workers} workers in run {run}");
                }
            }
        }
    }

    [Fact]
    public void The_entry_for_parallel_jobs_gives_the_same_bits()
    {
        using CpuDevice device = new(3);
        foreach (bool transposed in (bool[])[false, true])
        {
            GemmCase shape = new() { M = 70, N = 130, K = 500, TransposeB = transposed, Bias = true, Accumulate = true };
            float[] expected = shape.Run(device);
            for (int worker = 0; worker < device.Workers; worker++)
            {
                Assert.Equal(expected, shape.Run(device, worker));
            }
        }
    }

    [Fact]
    public void Arguments_that_do_not_fit_are_refused()
    {
        using CpuDevice device = new(1);
        using Tensor a = device.Allocate(4, 6), b = device.Allocate(6, 5), c = device.Allocate(4, 5), bias = device.Allocate(4);
        device.Gemm(a.AsMatrix(), b.AsMatrix(), c.AsMatrix());
        Refused(a.AsMatrix().T, b.AsMatrix(), c.AsMatrix());
        Refused(a.AsMatrix(), b.AsMatrix().T, c.AsMatrix());
        Refused(a.AsMatrix(), b.AsMatrix(), c.AsMatrix().T);
        Refused(a.AsMatrix(3, 6), b.AsMatrix(), c.AsMatrix());
        Refused(a.AsMatrix(), b.AsMatrix().SliceColumns(0, 4), c.AsMatrix());
        Refused(a.AsMatrix() with { Offset = 1 }, b.AsMatrix(), c.AsMatrix());
        Refused(a.AsMatrix() with { Offset = -1 }, b.AsMatrix(), c.AsMatrix());
        Refused(a.AsMatrix() with { Stride = 5 }, b.AsMatrix(), c.AsMatrix());
        Refused(a.AsMatrix(), b.AsMatrix() with { Stride = 6 }, c.AsMatrix());
        Refused(a.AsMatrix(), b.AsMatrix(), c.AsMatrix(), new GemmOptions(Bias: bias));
        Refused(a.AsMatrix(), b.AsMatrix(), c.AsMatrix(), new GemmOptions(Batch: 2, StepA: 1));
        Refused(a.AsMatrix(), b.AsMatrix(), c.AsMatrix(), new GemmOptions(Batch: 2, StepB: 1));
        Refused(a.AsMatrix(), b.AsMatrix(), c.AsMatrix(), new GemmOptions(Batch: 2, StepC: 1));

        void Refused(Matrix left, Matrix right, Matrix target, GemmOptions options = default) =>
            Assert.ThrowsAny<ArgumentException>(() => device.Gemm(left, right, target, options));
    }

    [Fact]
    public void Empty_products_do_nothing()
    {
        using CpuDevice device = new(2);
        using Tensor a = device.StoreTensor([1, 2, 3, 4], 2, 2), c = device.StoreTensor([5, 6, 7, 8], 2, 2);
        device.Gemm(a.AsMatrix(0, 2), a.AsMatrix(), c.AsMatrix(0, 2));
        float[] values = new float[4];
        device.Download(c, values);
        Assert.Equal([5, 6, 7, 8], values);
    }

    private static int Size(Random random) => random.Next(4) switch
    {
        0 => random.Next(1, 8),
        1 => random.Next(1, 40),
        2 => 16 * random.Next(1, 8),
        _ => random.Next(40, 150),
    };
}
