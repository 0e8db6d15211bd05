using System.Reflection;
using System.Runtime.InteropServices;

namespace Gradpath.Perf;

/// <summary>The few entry points of OpenBLAS that the comparison needs; the library is looked for at run time.</summary>
internal static unsafe partial class OpenBlas
{
    private const string Library = "libopenblas.so.0";

    private static readonly nint Handle = Load();

    private static readonly delegate* unmanaged<int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int,
        void> Product =
        (delegate* unmanaged<int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int, void>)Export("cblas_sgemm");

    /// <summary>Whether the library is on this machine.</summary>
    public static bool IsPresent => Handle != 0;

    /// <summary>Version, threading and the processor that its kernels were chosen for.</summary>
    public static string Description =>
        Marshal.PtrToStringAnsi(((delegate* unmanaged<nint>)Export("openblas_get_config"))()) + ", kernels for "
        + Marshal.PtrToStringAnsi(((delegate* unmanaged<nint>)Export("openblas_get_corename"))());

    /// <summary>Sets the number of threads.</summary>
    /// <param name="threads">How many.</param>
    public static void SetThreads(int threads) => ((delegate* unmanaged<int, void>)Export("openblas_set_num_threads"))(threads);

    /// <summary>C = A B, row-major, without gaps between rows.</summary>
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C.</param>
    /// <param name="k">Depth.</param>
    /// <param name="a">[m, k].</param>
    /// <param name="b">[k, n], or [n, k] if transposed.</param>
    /// <param name="transposeB">Whether the product reads the transpose of B.</param>
    /// <param name="c">[m, n].</param>
    public static void Multiply(int m, int n, int k, float* a, float* b, bool transposeB, float* c)
    {
        const int rowMajor = 101, asStored = 111, transposed = 112;
        Product(rowMajor, asStored, transposeB ? transposed : asStored, m, n, k, 1, a, k, b, transposeB ? k : n, 0, c, n);
    }

    // Its threads, when idle, spin for 2^26 ticks or longer before they sleep, and whatever is timed next gets half of their core: ours
    // came out at half its speed that way. 2^18 ticks (a tenth of a millisecond) cost OpenBLAS nothing that could be measured. The library
    // reads the variable when it is loaded, and from the C environment, which Environment.SetEnvironmentVariable does not change.
    private static nint Load()
    {
        if (!OperatingSystem.IsWindows()) _ = SetEnvironment("OPENBLAS_THREAD_TIMEOUT", "18", 0);
        return NativeLibrary.TryLoad(Library, Assembly.GetExecutingAssembly(), null, out nint handle) ? handle : 0;
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    private static nint Export(string name) => Handle == 0 ? 0 : NativeLibrary.GetExport(Handle, name);
}
