using System.Runtime.InteropServices;

namespace Gradpath.Kernels.Cuda;

/// <summary>
/// cuBLAS as the provider of matrix products, for comparison and for those who prefer it. It is no dependency: the library of an
/// installed CUDA toolkit is looked for when it is asked for.
/// </summary>
/// <remarks>
/// cuBLAS stores columns, we store rows. A row-major matrix is its own transpose in columns, so C = A B is asked for as C^T = B^T A^T.
/// </remarks>
internal sealed unsafe class Cublas : IDisposable
{
    private const int Float32 = 0;
    private const int ComputeFloat32 = 68;
    private const int ComputeBFloat16 = 75;
    private const int ComputeTf32 = 77;
    private const int DefaultAlgorithm = -1;

    private readonly delegate* unmanaged<nint, int> _destroy;
    private readonly delegate* unmanaged<
        nint, int, int, int, int, int, float*, nint, int, int, long, nint, int, int, long, float*, nint, int, int, long, int, int, int,
        int> _multiply;
    private readonly int _compute;
    private nint _handle;

    /// <summary>Loads the library and sets it up for a stream of the current context.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="precision">What factors may be rounded to.</param>
    /// <param name="workspace">Device memory for its use, so that it allocates none and repeats bit for bit.</param>
    /// <param name="workspaceBytes">Size of it.</param>
    /// <param name="names">Names of the library; null for those of the versions that fit.</param>
    /// <exception cref="DeviceException">The library is not there or does not start.</exception>
    public Cublas(nint stream, MatrixPrecision precision, nint workspace, long workspaceBytes, IReadOnlyList<string>? names = null)
    {
        names ??= Names;
        nint library = 0;
        if (!names.Any(name => NativeLibrary.TryLoad(name, out library)))
        {
            throw new DeviceException(
                $"cuBLAS is not installed ({string.Join(" or ", names)} not found): it is part of the CUDA toolkit; "
                + "Gradpath's own kernels need none");
        }
        _compute = precision switch
        {
            MatrixPrecision.Tf32 => ComputeTf32,
            MatrixPrecision.BFloat16 => ComputeBFloat16,
            _ => ComputeFloat32,
        };
        try
        {
            var create = (delegate* unmanaged<nint*, int>)NativeLibrary.GetExport(library, "cublasCreate_v2");
            var setStream = (delegate* unmanaged<nint, nint, int>)NativeLibrary.GetExport(library, "cublasSetStream_v2");
            var setWorkspace = (delegate* unmanaged<nint, nint, nuint, int>)NativeLibrary.GetExport(library, "cublasSetWorkspace_v2");
            _destroy = (delegate* unmanaged<nint, int>)NativeLibrary.GetExport(library, "cublasDestroy_v2");
            _multiply = (delegate* unmanaged<
                nint, int, int, int, int, int, float*, nint, int, int, long, nint, int, int, long, float*, nint, int, int, long, int, int,
                int, int>)
                NativeLibrary.GetExport(library, "cublasGemmStridedBatchedEx");
            nint handle;
            Check(create(&handle), "cublasCreate_v2");
            _handle = handle;
            Check(setStream(handle, stream), "cublasSetStream_v2");
            Check(setWorkspace(handle, workspace, (nuint)workspaceBytes), "cublasSetWorkspace_v2");
        }
        catch (EntryPointNotFoundException e)
        {
            throw new DeviceException($"the installed cuBLAS is too old: version 11 or later is needed ({e.Message})", e);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The names under which fitting versions are installed on this system.</summary>
    public static IReadOnlyList<string> Names { get; } =
        OperatingSystem.IsWindows()
            ? ["cublas64_13.dll", "cublas64_12.dll", "cublas64_11.dll"]
            : ["libcublas.so.13", "libcublas.so.12", "libcublas.so.11", "libcublas.so"];

    /// <summary>C = A B + beta C for a batch.</summary>
    /// <param name="a">[M, K] after transposition.</param>
    /// <param name="b">[K, N] after transposition.</param>
    /// <param name="c">[M, N].</param>
    /// <param name="beta">0 or 1.</param>
    /// <param name="options">Batch and steps; bias and accumulation are the caller's.</param>
    /// <param name="exact">Whether the factors stay float32 whatever the precision.</param>
    public void Multiply(in Matrix a, in Matrix b, in Matrix c, float beta, in GemmOptions options, bool exact = false)
    {
        float alpha = 1;
        Check(
            _multiply(
                _handle,
                b.Transposed ? 1 : 0,
                a.Transposed ? 1 : 0,
                c.Columns,
                c.Rows,
                a.OperandColumns,
                &alpha,
                First(b),
                Float32,
                Leading(b),
                options.StepB,
                First(a),
                Float32,
                Leading(a),
                options.StepA,
                &beta,
                First(c),
                Float32,
                Leading(c),
                options.StepC,
                Math.Max(1, options.Batch),
                exact ? ComputeFloat32 : _compute,
                DefaultAlgorithm),
            $"cublasGemmStridedBatchedEx of {c.Rows} x {c.Columns} x {a.OperandColumns}");
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (_handle != 0) _ = _destroy(_handle);
        _handle = 0;
    }

    private static nint First(in Matrix m) => m.Storage.Address + (nint)(m.Offset * sizeof(float));

    // Without columns a row may have no length, which cuBLAS does not take even where it reads nothing.
    private static int Leading(in Matrix m) => Math.Max(1, m.Stride);

    private static void Check(int status, string call)
    {
        if (status == 0) return;
        string meaning = status switch
        {
            1 => "not initialised",
            3 => "out of memory",
            7 => "an argument is out of range",
            8 => "the GPU is not supported",
            13 => "the product failed on the GPU",
            14 => "an internal operation failed",
            15 => "not supported",
            _ => "failed",
        };
        throw new DeviceException($"{call}: {meaning} (cuBLAS status {status})");
    }
}
