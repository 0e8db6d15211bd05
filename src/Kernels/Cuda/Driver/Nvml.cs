using System.Runtime.InteropServices;
using System.Text;

namespace Gradpath.Kernels.Cuda.Driver;

/// <summary>
/// The driver's management library, which knows GPUs without making contexts on them: a context takes hundreds of megabytes and a quarter
/// of a second. It is no dependency, and whatever it cannot say is null.
/// </summary>
internal sealed unsafe class Nvml
{
    // Numbers of the library's interface.
    private const int MultiprocessorClock = 1, MemoryClock = 2, VersionBytes = 96;

    private readonly delegate* unmanaged<byte*, nint*, int> _find;
    private readonly delegate* unmanaged<nint, Memory*, int> _memory;
    private readonly delegate* unmanaged<nint, int, uint*, int> _clock;
    private readonly delegate* unmanaged<byte*, uint, int> _version;

    private Nvml(nint library)
    {
        _find = (delegate* unmanaged<byte*, nint*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetHandleByPciBusId_v2");
        _memory = (delegate* unmanaged<nint, Memory*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetMemoryInfo");
        _clock = (delegate* unmanaged<nint, int, uint*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetClockInfo");
        _version = (delegate* unmanaged<byte*, uint, int>)NativeLibrary.GetExport(library, "nvmlSystemGetDriverVersion");
    }

    /// <summary>The names under which the library is installed on this system.</summary>
    public static IReadOnlyList<string> Names { get; } =
        OperatingSystem.IsWindows() ? ["nvml.dll"] : ["libnvidia-ml.so.1", "libnvidia-ml.so"];

    /// <summary>Loads and starts the library.</summary>
    /// <param name="names">Names or paths to try, in order.</param>
    /// <returns>The library; null where there is none that starts.</returns>
    public static Nvml? TryOpen(IReadOnlyList<string> names)
    {
        foreach (string name in names)
        {
            if (!NativeLibrary.TryLoad(name, out nint library)) continue;
            try
            {
                var start = (delegate* unmanaged<int>)NativeLibrary.GetExport(library, "nvmlInit_v2");
                return start() == 0 ? new Nvml(library) : null;
            }
            catch (EntryPointNotFoundException)
            {
                return null;
            }
        }
        return null;
    }

    /// <summary>How a GPU is.</summary>
    /// <param name="busId">Its place on the bus, as the CUDA driver names it.</param>
    /// <returns>The state; null where the library does not know the GPU or its memory.</returns>
    public GpuState? State(string busId)
    {
        nint gpu;
        fixed (byte* id = Encoding.ASCII.GetBytes(busId + "\0"))
        {
            if (_find(id, &gpu) != 0) return null;
        }
        Memory memory;
        if (_memory(gpu, &memory) != 0) return null;
        byte* version = stackalloc byte[VersionBytes];
        string? driver = _version(version, VersionBytes) == 0 ? Marshal.PtrToStringUTF8((nint)version) : null;
        return new GpuState((long)memory.Free, Clock(gpu, MultiprocessorClock), Clock(gpu, MemoryClock), driver);
    }

    private int? Clock(nint gpu, int kind)
    {
        uint megahertz;
        return _clock(gpu, kind, &megahertz) == 0 ? (int)megahertz : null;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Memory
    {
        public ulong Total;
        public ulong Free;
        public ulong Used;
    }
}
