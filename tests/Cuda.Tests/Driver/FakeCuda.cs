using System.Runtime.InteropServices;
using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Cuda.Tests.Driver;

/// <summary>The stand-in for the driver's library, compiled on first use with the machine's C compiler.</summary>
internal static unsafe class FakeCuda
{
    private static readonly Lazy<(nint Library, LibCuda? Driver, string Reason)> Built = new(Build);

    /// <summary>The binding over the stand-in; skips the test where it cannot be compiled.</summary>
    public static LibCuda Driver
    {
        get
        {
            Skip.If(Built.Value.Driver is null, Built.Value.Reason);
            return Built.Value.Driver!;
        }
    }

    /// <summary>The calls since the last look, one per line.</summary>
    public static string[] Calls()
    {
        var take = (delegate* unmanaged<byte*>)NativeLibrary.GetExport(Built.Value.Library, "fakeLog");
        return Marshal.PtrToStringUTF8((nint)take())!.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>From here on a function returns a code; 0 mends it.</summary>
    public static void Fail(string function, int code)
    {
        var fail = (delegate* unmanaged<byte*, int, void>)NativeLibrary.GetExport(Built.Value.Library, "fakeFail");
        fixed (byte* name = System.Text.Encoding.UTF8.GetBytes(function + "\0")) fail(name, code);
    }

    /// <summary>What the compiler writes to its error log.</summary>
    public static void SetCompilerLog(string log)
    {
        var set = (delegate* unmanaged<byte*, void>)NativeLibrary.GetExport(Built.Value.Library, "fakeCompilerLog");
        fixed (byte* text = System.Text.Encoding.UTF8.GetBytes(log + "\0")) set(text);
    }

    private static (nint Library, LibCuda? Driver, string Reason) Build()
    {
        if (CompiledC.Build("fakecuda.c", out string reason) is not { } library) return (0, null, reason);
        nint handle = NativeLibrary.Load(library);
        if (CompiledC.Build("fakenvml.c", out reason) is not { } nvml) return (0, null, reason);
        var driver = new LibCuda([library], ["libnot-there.so.1", nvml]);

        // Loaded when it is first asked.
        driver.State(0);
        Directory.Delete(Path.GetDirectoryName(library)!, recursive: true);
        Directory.Delete(Path.GetDirectoryName(nvml)!, recursive: true);
        return (handle, driver, "");
    }
}
