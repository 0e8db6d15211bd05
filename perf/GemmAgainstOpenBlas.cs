using System.Diagnostics;
using System.Globalization;
using System.Runtime.Intrinsics;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Perf;

/// <summary>
/// The CPU's matrix product against OpenBLAS, in one process: rounds of ours and of theirs alternate, so that both see the same clock
/// speed and the same neighbours; the ratio is that of the medians, and the best round stands beside it. On a machine with other work,
/// `taskset -c 1 ... gemm --workers 1` is the steadiest.
/// </summary>
internal static unsafe class GemmAgainstOpenBlas
{
    private const int DefaultRounds = 15;
    private const double SecondsPerRound = 0.02;

    // Both sides' idle threads spin for less than a millisecond before they sleep.
    private const int Pause = 3;

    /// <summary>Runs the comparison and prints a markdown table.</summary>
    /// <param name="args">Options.</param>
    /// <returns>The exit code.</returns>
    public static int Run(string[] args)
    {
        int workers = Environment.ProcessorCount, rounds = DefaultRounds;
        bool quick = false, oneThreadToo = true;
        List<Shape> shapes = [];
        for (int i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--quick": quick = true; break;
                case "--workers" when i + 1 < args.Length:
                    workers = int.Parse(args[++i], CultureInfo.InvariantCulture);
                    oneThreadToo = false;
                    break;
                case "--rounds" when i + 1 < args.Length: rounds = int.Parse(args[++i], CultureInfo.InvariantCulture); break;
                case "--shape" when i + 1 < args.Length: shapes.Add(Shape.Parse(args[++i])); break;
                default:
                    Console.Error.WriteLine($"gemm does not know '{args[i]}'");
                    return 2;
            }
        }
        if (!OpenBlas.IsPresent)
        {
            Console.Error.WriteLine("libopenblas.so.0 was not found, so there is nothing to compare with; on Debian and Ubuntu: apt-get "
                + "install libopenblas0-pthread");
            return 1;
        }
        if (shapes.Count == 0) shapes = Shape.OfGpt2(quick);
        Console.WriteLine($"OpenBLAS: {OpenBlas.Description}");
        if (Vector512.IsHardwareAccelerated && OpenBlas.Description.EndsWith("Haswell", StringComparison.Ordinal))
        {
            Console.WriteLine(
                "This OpenBLAS does not know the processor and runs its AVX2 kernels; OPENBLAS_CORETYPE=SkylakeX makes it use AVX-512.");
        }
        if (oneThreadToo && workers > 1) Table(1, shapes, rounds);
        Table(workers, shapes, rounds);
        return 0;
    }

    private static void Table(int workers, List<Shape> shapes, int rounds)
    {
        using CpuDevice device = new(workers);
        OpenBlas.SetThreads(workers);
        Console.WriteLine();
        Console.WriteLine($"{device.Description}; GFLOP/s, median (best) of {rounds} rounds, alternating");
        Console.WriteLine();
        Console.WriteLine("| M x N x K | ours | OpenBLAS | ratio | ratio of bests |");
        Console.WriteLine("|---|---:|---:|---:|---:|");
        double logarithms = 0, least = double.MaxValue;
        foreach (Shape shape in shapes)
        {
            (Rate ours, Rate theirs) = Compare(device, shape, rounds);
            double ratio = ours.Median / theirs.Median;
            logarithms += Math.Log(ratio);
            least = Math.Min(least, ratio);
            Console.WriteLine($"| {shape} | {ours} | {theirs} | {ratio:F2} | {ours.Best / theirs.Best:F2} |");
        }
        Console.WriteLine($"| geometric mean (least) | | | {Math.Exp(logarithms / shapes.Count):F2} ({least:F2}) | |");
        Shape small = new(64, 256, 256, false);
        Console.WriteLine($"| {small}, one element after the other | {Naive(device, small, rounds)} | | | |");
    }

    private static (Rate Ours, Rate Theirs) Compare(CpuDevice device, Shape shape, int rounds)
    {
        using Tensor a = Random(device, shape.M, shape.K), b = Random(device, shape.K, shape.N), c = device.Allocate(shape.M, shape.N);
        Matrix left = a.AsMatrix(), target = c.AsMatrix();
        Matrix right = shape.TransposeB ? b.AsMatrix(shape.N, shape.K).T : b.AsMatrix();
        Action ours = () => device.Gemm(left, right, target);
        Action theirs = () => OpenBlas.Multiply(
            shape.M, shape.N, shape.K, (float*)a.Address, (float*)b.Address, shape.TransposeB, (float*)c.Address);
        ours();
        theirs();
        int repeats = Math.Max(1, (int)(SecondsPerRound / Math.Min(Time(ours, 1), Time(theirs, 1))));
        double[] timesOfOurs = new double[rounds], timesOfTheirs = new double[rounds];
        for (int round = -1; round < rounds; round++)
        {
            double one = Time(ours, repeats);
            Thread.Sleep(Pause);
            double other = Time(theirs, repeats);
            Thread.Sleep(Pause);
            if (round < 0) continue;
            timesOfOurs[round] = one;
            timesOfTheirs[round] = other;
        }
        return (new Rate(shape, timesOfOurs), new Rate(shape, timesOfTheirs));
    }

    private static Rate Naive(CpuDevice device, Shape shape, int rounds)
    {
        using Tensor a = Random(device, shape.M, shape.K), b = Random(device, shape.K, shape.N), c = device.Allocate(shape.M, shape.N);
        double[] times = new double[rounds];
        for (int round = 0; round < rounds; round++)
        {
            times[round] = Time(() => GemmNaive.Run(a.AsMatrix(), b.AsMatrix(), c.AsMatrix(), new GemmOptions(Batch: 1)), 1);
        }
        return new Rate(shape, times);
    }

    private static double Time(Action action, int repeats)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < repeats; i++) action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds / repeats;
    }

    private static Tensor Random(CpuDevice device, int rows, int columns)
    {
        Random random = new(rows);
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.Length; i++) values[i] = random.NextSingle() - 0.5f;
        return device.StoreTensor(values, rows, columns);
    }

    private readonly record struct Rate(double Median, double Best)
    {
        public Rate(Shape shape, double[] seconds)
            : this(shape.Flops / Middle(seconds) * 1e-9, shape.Flops / seconds.Min() * 1e-9)
        {
        }

        public override string ToString() => Median < 10 ? $"{Median:F2} ({Best:F2})" : $"{Median:F0} ({Best:F0})";

        private static double Middle(double[] values) => values.Order().ElementAt(values.Length / 2);
    }

    private readonly record struct Shape(int M, int N, int K, bool TransposeB)
    {
        public double Flops => 2.0 * M * N * K;

        /// <summary>Products of GPT-2 small: rows are tokens, widths those of the residual stream, of q, k and v, and of the MLP.</summary>
        public static List<Shape> OfGpt2(bool quick)
        {
            List<Shape> shapes = [];
            foreach (int m in (int[])(quick ? [64, 160, 512, 2048] : [64, 128, 160, 256, 512, 800, 1024, 2048]))
            {
                foreach (int n in (int[])[768, 2304, 3072])
                {
                    foreach (int k in (int[])[768, 3072])
                    {
                        if (quick && (n == 2304 || (n == 3072 && k == 3072))) continue;
                        shapes.Add(new Shape(m, n, k, false));
                    }
                }
                shapes.Add(new Shape(m, 768, 3072, true));
                if (!quick) shapes.Add(new Shape(m, 3072, 768, true));
            }
            shapes.Add(new Shape(1, 3072, 768, false));
            shapes.Add(new Shape(16, 768, 3072, false));
            shapes.Add(new Shape(160, 768, 64, false));
            shapes.Add(new Shape(160, 160, 64, true));
            shapes.Add(new Shape(1, 50257, 768, true));
            shapes.Add(new Shape(20, 50257, 768, true));
            shapes.Add(new Shape(157, 36, 122_880, true));
            return shapes;
        }

        public static Shape Parse(string text)
        {
            bool transpose = text.EndsWith('t');
            int[] extents = [.. text.TrimEnd('t').Split('x').Select(part => int.Parse(part, CultureInfo.InvariantCulture))];
            return new Shape(extents[0], extents[1], extents[2], transpose);
        }

        public override string ToString() => $"{M} x {N} x {K}{(TransposeB ? ", B transposed" : "")}";
    }
}
