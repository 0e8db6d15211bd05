using System.Runtime.InteropServices;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Cuda.Tests.Driver;

/// <summary>
/// The binding of cuBLAS against a stand-in that multiplies as cuBLAS's manual says: columns, transposes, strides, batches.
/// </summary>
public sealed unsafe class CublasTests : IDisposable
{
    private readonly string? _path;
    private readonly string _reason;
    private readonly nint _library;
    private readonly CpuDevice _device = new(1);

    public CublasTests()
    {
        _path = CompiledC.Build("fakeblas.c", out _reason);
        if (_path is not null) _library = NativeLibrary.Load(_path);
    }

    public void Dispose()
    {
        _device.Dispose();
        if (_path is null) return;
        NativeLibrary.Free(_library);
        Directory.Delete(Path.GetDirectoryName(_path)!, recursive: true);
    }

    [SkippableTheory]
    [InlineData(false, false, 1)]
    [InlineData(true, false, 1)]
    [InlineData(false, true, 1)]
    [InlineData(true, true, 3)]
    [InlineData(false, false, 3)]
    public void Row_major_products_of_every_kind(bool transposeA, bool transposeB, int batch)
    {
        using Cublas cublas = Open(MatrixPrecision.Float32);
        const int m = 5, n = 7, k = 3;
        var random = new Random(3);
        using Tensor a = Random(random, 400), b = Random(random, 400), c = Random(random, 400);
        Matrix left = transposeA ? new Matrix(a, 2, k, m, m + 4).T : new Matrix(a, 2, m, k, k + 4);
        Matrix right = transposeB ? new Matrix(b, 1, n, k, k + 1).T : new Matrix(b, 1, k, n, n + 2);
        var target = new Matrix(c, 3, m, n, n + 5);
        GemmOptions options = new(Batch: batch, StepA: 50, StepB: 60, StepC: 80);
        foreach (float beta in new[] { 0f, 1f })
        {
            float[] expected = c.ToArray();
            using Tensor reference = _device.StoreTensor(expected, expected.Length);
            _device.Gemm(left, right, target with { Storage = reference }, options with { Accumulate = beta == 1 });
            cublas.Multiply(left, right, target, beta, options);
            float[] got = c.ToArray();
            float[] wanted = reference.ToArray();
            for (int i = 0; i < got.Length; i++) Assert.Equal(wanted[i], got[i], 1e-5f);
        }
        Assert.Equal(0, State(5));
        Assert.Equal(-1, State(4));
    }

    [SkippableTheory]
    [InlineData(MatrixPrecision.Float32, 68)]
    [InlineData(MatrixPrecision.BFloat16, 75)]
    [InlineData(MatrixPrecision.Tf32, 77)]
    public void The_precision_is_the_compute_type(MatrixPrecision precision, int compute)
    {
        using (Cublas cublas = Open(precision))
        {
            using Tensor x = _device.Allocate(4, 4), y = _device.Allocate(4, 4);
            cublas.Multiply(x.AsMatrix(), x.AsMatrix(), y.AsMatrix(), 0, default);
            Assert.Equal(compute, State(3));
            cublas.Multiply(x.AsMatrix(), x.AsMatrix(), y.AsMatrix(), 0, default, exact: true);
            Assert.Equal(68, State(3));
            Assert.Equal((1, 1, 1), (State(0), State(1), State(2)));
        }
        Assert.Equal(0, State(0));
    }

    [SkippableFact]
    public void Failures_are_named_and_the_handle_is_given_back()
    {
        using (Cublas cublas = Open(MatrixPrecision.Float32))
        {
            using Tensor x = _device.Allocate(4, 4);
            Fail(3);
            var e = Assert.Throws<DeviceException>(() => cublas.Multiply(x.AsMatrix(), x.AsMatrix(), x.AsMatrix(), 0, default));
            Assert.Equal("cublasGemmStridedBatchedEx of 4 x 4 x 4: the product failed on the GPU (cuBLAS status 13)", e.Message);
        }
        Fail(2);
        Assert.Equal(
            "cublasSetStream_v2: an argument is out of range (cuBLAS status 7)",
            Assert.Throws<DeviceException>(() => Open(MatrixPrecision.Float32)).Message);
        Assert.Equal(0, State(0));
    }

    [Fact]
    public void A_missing_library_is_named_with_a_way_out()
    {
        var e = Assert.Throws<DeviceException>(() => new Cublas(0, MatrixPrecision.Float32, 0, 0, ["libnowhere-to-be-found.so"]));
        Assert.Equal(
            "cuBLAS is not installed (libnowhere-to-be-found.so not found): it is part of the CUDA toolkit; Gradpath's own kernels need "
                + "none",
            e.Message);
    }

    private Cublas Open(MatrixPrecision precision)
    {
        Skip.If(_path is null, _reason);
        return new Cublas(0x51, precision, 0x1000, 4096, [_path!]);
    }

    private int State(int what) => ((delegate* unmanaged<int, int>)NativeLibrary.GetExport(_library, "fakeState"))(what);

    private void Fail(int what) => ((delegate* unmanaged<int, void>)NativeLibrary.GetExport(_library, "fakeFail"))(what);

    private Tensor Random(Random random, int length) =>
        _device.StoreTensor([.. Enumerable.Range(0, length).Select(_ => random.NextSingle() - 0.5f)], length);
}
