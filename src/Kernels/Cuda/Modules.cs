using System.Diagnostics;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using Gradpath.Kernels.Cuda.Driver;
using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cuda;

// The files of kernels, and what the driver makes of them.
public sealed partial class CudaDevice
{
    private const string PtxExtension = ".ptx";

    /// <summary>The files of kernels, without their extension.</summary>
    internal static IReadOnlyList<string> ModuleFiles { get; } =
    [
        .. Assembly.GetExecutingAssembly().GetManifestResourceNames()
            .Where(n => n.EndsWith(PtxExtension, StringComparison.Ordinal))
            .Select(n => n[..^PtxExtension.Length])
            .Order(StringComparer.Ordinal),
    ];

    // What the kernels of products and contractions are launched with; that of others depends on the shape.
    private static Dictionary<string, int> SharedBytesOfKernels { get; } = new(
        Enum.GetValues<GemmArithmetic>()
            .SelectMany(a => GemmTile.Of(a).ToArray())
            .SelectMany(tile => new[] { false, true }.Select(b => KeyValuePair.Create(tile.KernelName(b), tile.SharedBytes(b))))
            .Concat(ContractionColumns.Select(c => KeyValuePair.Create($"contractEdges{c}", ContractionSharedBytes(c))))
            .DistinctBy(p => p.Key));

    /// <summary>The entry points of a file, in its order.</summary>
    /// <param name="file">The file without its extension.</param>
    internal static IReadOnlyList<string> EntryPoints(string file) =>
        [.. EntryPoint().Matches(Encoding.UTF8.GetString(ReadPtx(file))).Select(m => m.Groups[1].Value)];

    /// <summary>Has the driver compile and load a file, unless it is loaded, and asks what became of its kernels.</summary>
    /// <param name="file">The file without its extension.</param>
    /// <exception cref="DeviceException">The driver refuses it; the message has its compiler's log.</exception>
    internal CudaModuleInfo LoadModule(string file)
    {
        Enter();
        string at = $"{file}{PtxExtension}";
        try
        {
            long start = Stopwatch.GetTimestamp();
            nint module = Module(file);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            List<CudaKernelInfo> kernels = [];
            foreach (string name in EntryPoints(file))
            {
                at = $"the kernel {name}";
                kernels.Add(Inspect(module, name));
            }
            return new CudaModuleInfo(file, seconds, kernels);
        }
        catch (CudaException e)
        {
            _failed |= e.Result.IsSticky();
            throw new DeviceException($"{Name}: {at} could not be loaded: {e.Message}", e);
        }
    }

    private CudaKernelInfo Inspect(nint module, string name)
    {
        nint function = _driver.GetFunction(module, name);
        int shared = SharedBytesOfKernels.GetValueOrDefault(name);
        if (shared > SharedBytesWithoutLeave) _driver.AllowSharedMemory(function, shared);
        CudaFunctionInfo info = _driver.DescribeFunction(function);
        int resident = _driver.ResidentBlocks(function, info.MaxThreads, shared);
        return new CudaKernelInfo(
            name, info.MaxThreads, info.Registers, info.LocalBytes, info.StaticSharedBytes, shared, resident);
    }

    // Loaded at its first use.
    private nint Module(string file)
    {
        if (_modules.TryGetValue(file, out nint module)) return module;
        module = _driver.LoadModule($"{file}{PtxExtension}", ReadPtx(file));
        _modules.Add(file, module);
        return module;
    }

    private static byte[] ReadPtx(string file)
    {
        using Stream resource = Assembly.GetExecutingAssembly().GetManifestResourceStream($"{file}{PtxExtension}")!;
        byte[] ptx = new byte[resource.Length];
        resource.ReadExactly(ptx);
        return ptx;
    }

    [GeneratedRegex(@"\.entry (\w+)\(")]
    private static partial Regex EntryPoint();
}
