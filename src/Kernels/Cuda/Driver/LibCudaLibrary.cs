using System.Reflection;
using System.Runtime.InteropServices;

namespace Gradpath.Kernels.Cuda.Driver;

/// <summary>Finds the driver's library, which the GPU driver's package installs: no CUDA toolkit is needed.</summary>
internal static class LibCudaLibrary
{
    private static readonly Lock Gate = new();
    private static nint _handle;

    /// <summary>The names under which the driver is installed on this system.</summary>
    public static IReadOnlyList<string> Names { get; } = OperatingSystem.IsWindows() ? ["nvcuda.dll"] : ["libcuda.so.1", "libcuda.so"];

    /// <summary>Loads the library once per process.</summary>
    /// <param name="names">Names or paths to try, in order.</param>
    /// <returns>Whether one of them was found.</returns>
    public static bool Load(IReadOnlyList<string> names)
    {
        lock (Gate)
        {
            if (_handle != 0) return true;
            foreach (string name in names)
            {
                if (!NativeLibrary.TryLoad(name, out _handle)) continue;
                NativeLibrary.SetDllImportResolver(typeof(LibCudaNative).Assembly, Resolve);
                return true;
            }
            return false;
        }
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name == LibCudaNative.Library ? _handle : 0;
}
