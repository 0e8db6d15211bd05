using System.Globalization;
using Gradpath.Diagnostics.Ops;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Diagnostics.KernelRuns;

/// <summary>A product of any shape, planned as the device does it or as somebody wants it.</summary>
/// <param name="Name">The op or the kernel.</param>
/// <param name="M">Rows of C.</param>
/// <param name="N">Columns of C.</param>
/// <param name="K">The inner dimension.</param>
internal sealed record ProductRequest(string Name, int M, int N, int K)
{
    /// <summary>The case of <see cref="Check"/>; even, so that operands start where copies of 16 bytes are possible.</summary>
    public const int Seed = 2;

    /// <summary>Whether A is stored with its rows along k.</summary>
    public bool TransposeA { get; init; }

    /// <summary>Whether B is stored with k contiguous.</summary>
    public bool TransposeB { get; init; }

    /// <summary>How it is multiplied; null for the device's way.</summary>
    public GemmArithmetic? Arithmetic { get; init; }

    /// <summary>The plan; null for the device's choice.</summary>
    public Func<GemmShape, GemmPlan>? Plan { get; init; }

    /// <summary>Whether the plan takes a packed B.</summary>
    public bool Packs { get; init; }

    /// <summary>The plan in words, where it is forced.</summary>
    public string? PlanWords { get; init; }

    /// <summary>The shape in words.</summary>
    public string Shape => string.Create(CultureInfo.InvariantCulture, $"{M} x {N} x {K}{Layout}");

    private string Layout => (TransposeA, TransposeB) switch
    {
        (true, true) => ", both transposed",
        (true, false) => ", A transposed",
        (false, true) => ", B transposed",
        _ => "",
    };

    /// <summary>What it is as an op that is timed.</summary>
    public OpWork Work => new("", Shape, 2.0 * M * N * K, sizeof(float) * (((double)M * K) + ((double)K * N) + ((double)M * N)), x =>
    {
        Matrix a = TransposeA ? x.Tensor(K, M).AsMatrix().T : x.Tensor(M, K).AsMatrix();
        Matrix b = TransposeB ? x.Tensor(N, K).AsMatrix().T : x.Tensor(K, N).AsMatrix();
        Matrix c = x.Tensor(M, N).AsMatrix();
        Pack(x.Device, b, x.Own);
        return () => x.Device.Gemm(a, b, c);
    });

    /// <summary>What it is as an op that is compared with another device.</summary>
    public OpCheck Check => new("Gemm", Name, OpCase.Rounding, (device, seed) => Run(device, seed, false))
    {
        Magnitudes = (device, seed) => Run(device, seed, true),
    };

    /// <summary>What the device rounds factors to.</summary>
    /// <param name="device">The device.</param>
    public MatrixPrecision Precision(Device device) => Arithmetic switch
    {
        GemmArithmetic.Tf32 => MatrixPrecision.Tf32,
        GemmArithmetic.Bf16 => MatrixPrecision.BFloat16,
        null => device.Precision,
        _ => MatrixPrecision.Float32,
    };

    private void Pack(Device device, in Matrix b, Func<IDisposable, IDisposable> own)
    {
        if (Packs && device is CudaDevice gpu) own(gpu.PackFactors([b]));
    }

    private double[][] Run(Device device, int seed, bool magnitudes)
    {
        using OpOperands x = new(device, seed, magnitudes);
        Matrix a = TransposeA ? x.Draw((long)K * M).AsMatrix(K, M).T : x.Draw((long)M * K).AsMatrix(M, K);
        Matrix b = TransposeB ? x.Draw((long)N * K).AsMatrix(N, K).T : x.Draw((long)K * N).AsMatrix(K, N);
        Matrix c = x.Draw((long)M * N).AsMatrix(M, N);
        Pack(device, b, x.Own);
        device.Gemm(a, b, c, new GemmOptions(Accumulate: true, Bias: x.Draw(N)));
        return x.All();
    }
}
