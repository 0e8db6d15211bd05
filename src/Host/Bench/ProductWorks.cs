using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;

namespace Gradpath.Host.Bench;

/// <summary>The products: matrix products, the edge contraction, attention. Here time is flops, not bytes.</summary>
internal static class ProductWorks
{
    private const double Float = sizeof(float);

    public static IReadOnlyList<OpWork> All { get; } =
    [
        .. Model(768, 3072, [160, 800, 2048]),
        .. Model(1600, 6400, [160, 800]),
        Gemm("Gemm, unembedding", 20, 50_257, 768, transposeB: true),
        Heads(160, 768, 12),
        Heads(160, 1600, 25),

        // The readers of layer 11 of GPT-2 small and of layer 47 of XL; 64 rows are 16 pairs that differ in the last 4 tokens.
        Contraction("small", 144, 36, 160 * 768),
        Contraction("XL", 1223, 75, 64 * 1600),
        .. Attention(50, 16, 12),
        .. Attention(1, 1024, 12),
        .. Attention(50, 16, 25),
    ];

    private static IEnumerable<OpWork> Model(int width, int inner, int[] rows)
    {
        foreach (int m in rows)
        {
            yield return Gemm("Gemm", m, 3 * width, width);
            yield return Gemm("Gemm", m, width, width);
            yield return Gemm("Gemm", m, inner, width);
            yield return Gemm("Gemm", m, width, inner);
            yield return Gemm("Gemm, B transposed", m, width, inner, transposeB: true);
        }
    }

    private static OpWork Gemm(string op, int m, int n, int k, bool transposeB = false) =>
        new(op, $"{m} x {n} x {k}", 2.0 * m * n * k, Float * (((double)m * k) + ((double)k * n) + ((double)m * n)), x =>
        {
            Matrix a = x.Tensor(m, k).AsMatrix(), b = transposeB ? x.Tensor(n, k).AsMatrix().T : x.Tensor(k, n).AsMatrix(), c = x.Tensor(m, n).AsMatrix();
            return () => x.Device.Gemm(a, b, c);
        });

    // W_O of every head by itself, which makes the writers' outputs: [rows, 64] x [64, D] per head.
    private static OpWork Heads(int rows, int width, int heads) => new(
        "Gemm, batch", $"{heads} x {rows} x {width} x 64", 2.0 * heads * rows * width * 64, Float * heads * ((rows * 64.0) + (width * 64.0) + ((double)rows * width)), x =>
        {
            Matrix a = x.Tensor(rows, heads * 64).AsMatrix().SliceColumns(0, 64), b = x.Tensor(heads, 64, width).AsMatrix(64, width), c = x.Tensor(heads, rows, width).AsMatrix(rows, width);
            GemmOptions options = new(Batch: heads, StepA: 64, StepB: 64 * width, StepC: (long)rows * width);
            return () => x.Device.Gemm(a, b, c, options);
        });

    private static OpWork Contraction(string model, int writers, int readers, int length) => new(
        "ContractEdges", $"{model}: {writers} x {readers} x {length}", 2.0 * writers * readers * length, Float * (writers + readers) * (double)length, x =>
        {
            Tensor delta = x.Tensor(writers, length), gradients = x.Tensor(readers, length);
            DeviceArray<double> scores = x.Doubles(writers * readers);
            return () => x.Device.ContractEdges(delta, writers, gradients, readers, length, new ScoreBlock(scores, readers, 0));
        });

    private static IEnumerable<OpWork> Attention(int sequences, int length, int heads)
    {
        int rows = sequences * length, wide = heads * 64;
        double pairs = sequences * (double)heads * length * (length + 1) / 2, square = sequences * (double)heads * length * length, n = (double)rows * wide;
        string shape = $"{sequences} x {length} tokens, {heads} heads of 64";
        int probabilities = checked((int)square);
        const float Scale = 0.125f;
        yield return new("Attention", shape, pairs * ((4 * 64) + 4), Float * ((4 * n) + square), x =>
        {
            SequenceLayout layout = x.Layout(sequences, length);
            Tensor q = x.Tensor(rows, wide), kv = x.Tensor(rows, 2 * wide), p = x.Tensor(probabilities), z = x.Tensor(rows, wide);
            return () => x.Device.Attention(q, kv, layout, new HeadGroup(heads, 64, Scale), p, z);
        });
        yield return new("AttentionBackward", shape, pairs * ((8 * 64) + 5), Float * ((7 * n) + square), x =>
        {
            SequenceLayout layout = x.Layout(sequences, length);
            Tensor dz = x.Tensor(rows, wide), q = x.Tensor(rows, wide), kv = x.Tensor(rows, 2 * wide), p = x.Tensor(probabilities);
            Tensor dq = x.Tensor(rows, wide), dkv = x.Tensor(rows, 2 * wide);
            return () => x.Device.AttentionBackward(dz, q, kv, p, layout, new HeadGroup(heads, 64, Scale), 1, dq, dkv);
        });
    }
}
