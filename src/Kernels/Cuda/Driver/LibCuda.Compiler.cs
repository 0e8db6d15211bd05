using System.Text;
using static Gradpath.Kernels.Cuda.Driver.LibCudaNative;

namespace Gradpath.Kernels.Cuda.Driver;

// The driver's compiler and linker. An option's value stands in a slot as wide as a pointer: a number as it is and no address of one. What
// the compiler gives back, it writes over the slot: the wall time as a float32 in the slot's first four bytes.
internal sealed unsafe partial class LibCuda
{
    // Options of the compiler, and the kind of its input.
    private const int WallTime = 2;
    private const int InfoLog = 3;
    private const int InfoLogBytes = 4;
    private const int ErrorLog = 5;
    private const int ErrorLogBytes = 6;
    private const int LogVerbose = 12;
    private const int PtxInput = 1;
    private const int LogBytes = 65536;

    // Where the installed kernel module says its version, which the library's shares.
    private const string VersionFile = "/proc/driver/nvidia/version";

    /// <inheritdoc />
    public string Compiler { get; } = ReadVersion();

    /// <inheritdoc />
    public CudaImage Compile(string name, ReadOnlySpan<byte> ptx)
    {
        byte[] text = Terminated(ptx), error = new byte[LogBytes], info = new byte[LogBytes];
        fixed (byte* data = text, label = Terminated(Encoding.UTF8.GetBytes(name)), errorLog = error, infoLog = info)
        {
            int* options = stackalloc int[] { ErrorLog, ErrorLogBytes, InfoLog, InfoLogBytes, LogVerbose, WallTime };
            nint* values = stackalloc nint[] { (nint)errorLog, LogBytes, (nint)infoLog, LogBytes, 1, 0 };
            int result = cuLinkCreate_v2(6, options, values, out nint link);
            if (result != 0) throw Failure(nameof(cuLinkCreate_v2), result, $"{name}: {Log(error, info)}");
            try
            {
                result = cuLinkAddData_v2(link, PtxInput, data, (nuint)text.Length, label, 0, null, null);
                if (result != 0) throw Failure(nameof(cuLinkAddData_v2), result, $"{name}: {Log(error, info)}");
                result = cuLinkComplete(link, out byte* image, out nuint bytes);
                if (result != 0) throw Failure(nameof(cuLinkComplete), result, $"{name}: {Log(error, info)}");

                // The image is the linker's and goes with it.
                byte[] kept = new ReadOnlySpan<byte>(image, checked((int)bytes)).ToArray();
                return new CudaImage(kept, Text(info), *(float*)(values + 5) / 1000.0);
            }
            finally
            {
                _ = cuLinkDestroy(link);
            }
        }
    }

    /// <inheritdoc />
    public nint LoadModule(string name, ReadOnlySpan<byte> image)
    {
        byte[] text = Terminated(image), error = new byte[LogBytes], info = new byte[LogBytes];
        fixed (byte* data = text, errorLog = error, infoLog = info)
        {
            int* options = stackalloc int[] { ErrorLog, ErrorLogBytes, InfoLog, InfoLogBytes };
            nint* values = stackalloc nint[] { (nint)errorLog, LogBytes, (nint)infoLog, LogBytes };
            int result = cuModuleLoadDataEx(out nint module, data, 4, options, values);
            if (result != 0) throw Failure(nameof(cuModuleLoadDataEx), result, $"{name}: {Log(error, info)}");
            return module;
        }
    }

    // The driver reads PTX up to a zero.
    private static byte[] Terminated(ReadOnlySpan<byte> text)
    {
        var copy = new byte[text.Length + 1];
        text.CopyTo(copy);
        return copy;
    }

    private static string Log(params byte[][] logs)
    {
        string text = string.Join('\n', logs.Select(Text).Where(t => t.Length > 0));
        return text.Length == 0 ? "the compiler left no log" : text;
    }

    private static string Text(byte[] log)
    {
        int end = Array.IndexOf(log, (byte)0);
        return Encoding.UTF8.GetString(log, 0, end < 0 ? log.Length : end).Trim();
    }

    private static string ReadVersion()
    {
        try
        {
            return File.ReadAllLines(VersionFile)[0];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or IndexOutOfRangeException)
        {
            // Other systems, and containers that do not show it: the version of CUDA must do.
            return "";
        }
    }
}
