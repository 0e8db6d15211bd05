using System.Runtime.InteropServices;

namespace Gradpath.Kernels.Cuda;

/// <summary>
/// Named ranges for NVIDIA's profilers, by the library that comes with them and with the CUDA toolkit. Where it is not there nothing
/// happens.
/// </summary>
internal sealed unsafe class Nvtx : IDisposable
{
    private readonly delegate* unmanaged<byte*, int> _push;
    private readonly delegate* unmanaged<int> _pop;
    private readonly Dictionary<string, nint> _names = [];
    private readonly nint _library;

    /// <summary>Looks for the library.</summary>
    /// <param name="names">Its names; null for those under which it is installed.</param>
    public Nvtx(IReadOnlyList<string>? names = null)
    {
        foreach (string name in names ?? Names)
        {
            if (!NativeLibrary.TryLoad(name, out nint library)) continue;
            if (NativeLibrary.TryGetExport(library, "nvtxRangePushA", out nint push)
                && NativeLibrary.TryGetExport(library, "nvtxRangePop", out nint pop))
            {
                _library = library;
                _push = (delegate* unmanaged<byte*, int>)push;
                _pop = (delegate* unmanaged<int>)pop;
                return;
            }
            NativeLibrary.Free(library);
        }
    }

    /// <summary>The names under which the library is installed on this system.</summary>
    public static IReadOnlyList<string> Names { get; } =
        OperatingSystem.IsWindows() ? ["nvToolsExt64_1.dll"] : ["libnvToolsExt.so.1", "libnvToolsExt.so"];

    /// <summary>Whether the library is there.</summary>
    public bool IsThere => _library != 0;

    /// <summary>Begins a range within the one that is open.</summary>
    /// <param name="name">Its name.</param>
    public void Push(string name)
    {
        if (!IsThere) return;
        if (!_names.TryGetValue(name, out nint text)) _names.Add(name, text = Marshal.StringToCoTaskMemUTF8(name));
        _ = _push((byte*)text);
    }

    /// <summary>Ends the innermost range.</summary>
    public void Pop()
    {
        if (IsThere) _ = _pop();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (nint text in _names.Values) Marshal.FreeCoTaskMem(text);
        _names.Clear();
    }
}
