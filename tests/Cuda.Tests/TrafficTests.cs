using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;
using Gradpath.Kernels.Tests;
using Gradpath.PtxEmulator;
using Xunit.Abstractions;

namespace Gradpath.Cuda.Tests;

/// <summary>
/// What each kernel moves at the shapes of GPT-2 small (fewer rows), in sectors of 32 bytes, against reading every operand and writing
/// every result once; and how often accesses to shared memory wait for a bank. Repeated reads that a cache would serve count in full.
/// </summary>
public sealed class TrafficTests(ITestOutputHelper output)
{
    private const int D = 768, Heads = 12, HeadWidth = 64, Rows = 24, Vocabulary = 5003;
    private const int RowBytes = D * sizeof(float);

    private static readonly Case[] s_cases =
    [
        new("gatherRows", 2 * Rows * RowBytes, 1.05, 0, b => b.Device.GatherRows(b.Rows(50), b.Indices(Rows), Rows, D, b.Rows(Rows))),
        new("scatterAddRows", 3 * Rows * RowBytes, 1.05, 0, b => b.Device.ScatterAddRows(b.Rows(Rows), b.Indices(Rows), Rows, D, b.Rows(50))),
        new("scaleRows", 2 * Rows * RowBytes, 1.05, 0, b => b.Device.ScaleRows(b.Rows(Rows), b.Floats(Rows), Rows, Rows, D, b.Rows(Rows))),
        new("subtractRows", 3 * Rows * RowBytes, 1.05, 0, b => b.Device.SubtractRows(b.Rows(Rows), b.Rows(Rows), Rows, Rows, D)),
        new("copyMatrix", 2 * Rows * HeadWidth * sizeof(float), 1.05, 0, b => b.Device.CopyMatrix(b.Head(3), b.Head(5))),
        new("combine", 3 * Rows * RowBytes, 1.0, 0, b => b.Device.Combine(0.5f, b.Rows(Rows), 0.5f, b.Rows(Rows), Rows * D, b.Rows(Rows))),
        new("fill", Rows * RowBytes, 1.0, 0, b => b.Device.Fill(b.Rows(Rows), 1, Rows * D)),
        new("mirrorUpperTriangle", D * RowBytes, 1.1, 0.02, b => b.Device.MirrorUpperTriangle(b.Rows(D), D)),
        new("layerNorm", (2 * Rows + 2) * RowBytes, 2.0, 0, b => b.Device.LayerNorm(b.Rows(Rows), b.Rows(1), b.Rows(1), 1e-5f, Rows, D, b.Floats(Rows), b.Floats(Rows), b.Rows(Rows))),
        new("layerNormBackward", 4 * Rows * RowBytes, 1.3, 0, b => b.Backward(reader: false)),
        new("layerNormBackward", ((4 * Rows) + (2 * Rows / 6)) * RowBytes, 1.4, 0, b => b.Backward(reader: true)),
        new("standardize", 2 * Rows * RowBytes, 1.1, 0, b => b.Device.Standardize(b.Rows(Rows), b.Floats(Rows), b.Floats(Rows), null, Rows, D, b.Rows(Rows), 0)),
        new("geluTanh", 3 * Rows * RowBytes, 1.0, 0, b => b.Device.Activate(ActivationFunction.GeluTanh, b.Rows(Rows), Rows * D, b.Rows(Rows))),
        new("multiplyRows", 3 * Rows * RowBytes, 1.0, 0, b => b.Device.MultiplyRows(b.Rows(Rows), b.Rows(Rows), Rows, Rows, D)),
        new("sequenceDots", 2 * Rows * RowBytes, 1.05, 0, b => b.Device.SequenceDots(b.Rows(Rows), b.Rows(Rows), b.Layout(), D, b.Doubles(Rows))),
        new("pathStep", 3 * Rows * RowBytes, 1.15, 0, b => b.Device.PathStep(b.Rows(Rows), b.Rows(Rows), b.Doubles(Rows), b.Doubles(Rows), false, b.Layout(), D)),
        new("logSoftmax", 2 * 3 * Vocabulary * sizeof(float), 2.4, 0, b => b.Device.LogSoftmax(b.Wide(), 3, Vocabulary)),
        new("klDivergence", 3 * 3 * Vocabulary * sizeof(float), 1.2, 0, b => b.Device.KlDivergence(b.Wide(), b.Wide(), 3, 3, Vocabulary, b.Doubles(3), b.Wide())),
        new("probabilityDistanceGradient", 3 * 3 * Vocabulary * sizeof(float), 2.0, 0, b => b.Device.ProbabilityDistanceGradient(b.Wide(), b.Wide(), 3, 3, Vocabulary, b.Wide())),
        new("argMax", 3 * Vocabulary * sizeof(float), 1.25, 0, b => b.Device.ArgMax(b.Wide(), 3, Vocabulary, b.Indices(3))),
        new("rowDots", 2 * Rows * RowBytes, 1.05, 0, b => b.Device.RowDots(b.Rows(Rows), b.Rows(Rows), Rows, Rows, D, b.Doubles(Rows))),
        new("accumulateReaders", ((2 * Rows) + (2 * Rows / 4)) * RowBytes, 1.4, 0, b => b.Device.AccumulateReaders(
            b.Rows(Rows), b.Rows(Rows), b.Rows(1), b.Rows(1), b.Floats(Rows), Heads, HeadWidth, D, Rows, Rows, Rows / 4, b.Rows(Rows), b.Floats(Heads * Rows), b.Floats(4 * Heads * Rows), 0)),
        new("finishReaders", ((2 * 8) + 5) * 4 * RowBytes, 1.5, 0, b => b.Device.FinishReaders(
            b.Rows(8 * 4), 0, b.Rows(1), b.Floats(8 * 4), b.Floats(5 * 8 * 4), b.Rows(5 * 4), 8, 4, D, 5)),
        new("proximityShares", (1 + 9) * 6 * RowBytes, 2.65, 0, b => b.Device.Proximity(b.Rows(6), b.Rows(9 * 6), 9, 6, D, b.Floats(6), b.Doubles(9), 1, 0)),
        new("attention4", ((4 * Rows) + (Rows / 2)) * RowBytes, 1.2, 0, b => b.Attend(false)),
        new("attentionQueryGradient4", ((4 * Rows) + (Rows / 2)) * RowBytes, 1.2, 0, b => b.Attend(true)),
        new("attentionKeyGradient", ((5 * Rows) + (Rows / 2)) * RowBytes, 1.2, 0, b => b.Attend(true)),
    ];

    [Fact]
    public void Kernels_move_little_more_than_they_must()
    {
        var wrong = new List<string>();
        foreach (Case c in s_cases)
        {
            using var driver = new EmulatedDriver(new EmulatorOptions { Count = true, Races = false });
            using (var bench = new Bench(driver)) c.Run(bench);
            KernelStatistics s = driver.Statistics[c.Kernel];
            double ratio = 32.0 * (s.GlobalSectorsRead + s.GlobalSectorsWritten) / c.LeastBytes;
            double conflicts = s.SharedRequests == 0 ? 0 : (double)s.SharedConflicts / s.SharedRequests;
            string line = $"{c.Kernel,-28} {ratio,6:F2} of the least traffic (allowed {c.Allowed:F2}), {conflicts:F3} bank conflicts per request, {s.Instructions / (c.LeastBytes / 4),6:F1} instructions per float";
            output.WriteLine(line);
            if (ratio > c.Allowed || conflicts > c.Conflicts + 1e-9) wrong.Add(line);
        }
        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
    }

    private sealed record Case(string Kernel, double LeastBytes, double Allowed, double Conflicts, Action<Bench> Run);

    private sealed class Bench(EmulatedDriver driver) : IDisposable
    {
        private readonly OpBench _bench = new(new CudaDevice(driver, 0));

        public Device Device => _bench.Device;

        public Tensor Rows(int rows) => Floats(rows * D);

        public Tensor Floats(int count) => _bench.Store(Numbers.Draw(1, count));

        public Tensor Wide() => Floats(3 * Vocabulary);

        public DeviceArray<double> Doubles(int count) => _bench.Doubles([.. Enumerable.Repeat(1.0, count)]);

        public DeviceArray<int> Indices(int count) => _bench.Integers([.. Enumerable.Range(0, count).Select(i => 2 * i % 49)]);

        public Matrix Head(int head) => Rows(TrafficTests.Rows).AsMatrix(TrafficTests.Rows, D).SliceColumns(head * HeadWidth, HeadWidth);

        // Sequences of 14 and 10 positions.
        public SequenceLayout Layout() => _bench.Layout([14, 10]);

        public void Backward(bool reader)
        {
            const int All = TrafficTests.Rows, Base = All / 6;
            Device.LayerNormBackward(Rows(All), Rows(All), Rows(1), Floats(All), Floats(All), All, All, D, Rows(All), reader ? Rows(Base) : null, reader ? Base : All, All);
        }

        public void Attend(bool backward)
        {
            SequenceLayout layout = Layout();
            Tensor q = Rows(layout.QueryRows), kv = Rows(2 * layout.KeyRows), p = Floats(Heads * (int)layout.ProbabilitiesPerHead);
            if (backward) Device.AttentionBackward(Rows(layout.QueryRows), q, kv, p, layout, Heads, HeadWidth, 0.125f, 1, Rows(layout.QueryRows), Rows(2 * layout.KeyRows));
            else Device.Attention(q, kv, layout, Heads, HeadWidth, 0.125f, p, Rows(layout.QueryRows));
        }

        public void Dispose() => _bench.Dispose();
    }
}
