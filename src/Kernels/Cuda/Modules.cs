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

    // More would wait for the two files that take longest.
    private const int MostCompilers = 8;

    /// <summary>The files of kernels, without their extension.</summary>
    internal static IReadOnlyList<string> ModuleFiles { get; } =
    [
        .. Assembly.GetExecutingAssembly().GetManifestResourceNames()
            .Where(n => n.EndsWith(PtxExtension, StringComparison.Ordinal))
            .Select(n => n[..^PtxExtension.Length])
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The files that this GPU's driver can compile: all but those for other GPUs alone.</summary>
    internal IReadOnlyList<string> Files => field ??= KnowsSm90a ? ModuleFiles : [.. ModuleFiles.Where(f => !IsSm90a(f))];

    /// <summary>Whether a file is for compute capability 9.0 alone, which its name says.</summary>
    /// <param name="file">The file without its extension.</param>
    internal static bool IsSm90a(string file) => file.EndsWith("Sm90a", StringComparison.Ordinal);

    // What the kernels of products and contractions are launched with; that of others depends on the shape.
    private static Dictionary<string, int> SharedBytesOfKernels { get; } = new(
        Enum.GetValues<GemmArithmetic>()
            .SelectMany(a => GemmTile.Of(a, packed: true).ToArray())
            .SelectMany(tile => new[] { false, true }.Select(b => KeyValuePair.Create(tile.KernelName(b), tile.SharedBytes(b))))
            .Concat(ContractionColumns.Select(c => KeyValuePair.Create($"contractEdges{c}", ContractionSharedBytes(c))))
            .DistinctBy(p => p.Key));

    /// <summary>The entry points of a file, in its order.</summary>
    /// <param name="file">The file without its extension.</param>
    internal static IReadOnlyList<string> EntryPoints(string file) => Entries(Encoding.UTF8.GetString(ReadPtx(file)));

    /// <summary>The shipped text of a file.</summary>
    /// <param name="file">The file without its extension.</param>
    internal static string ShippedPtx(string file) => Encoding.UTF8.GetString(ReadPtx(file));

    /// <summary>
    /// The files whose kernels every scoring launches, or one of two (attention of short and of long prompts), those first that take the
    /// compiler longest. Others are loaded where they are used: masks, mixes, paths, activation functions that no product ends with.
    /// </summary>
    internal IReadOnlyList<string> ScoringFiles
    {
        get
        {
            string[] tiles = _options.UseCublas && Arithmetic != GemmArithmetic.Ffma ? [] : [GemmTile.Of(Arithmetic)[0].File];
            string[] attention = Arithmetic == GemmArithmetic.Ffma ? ["Attention"] : ["Attention", ShortAttentionFile];
            string[] packed = MayPack ? [GemmTile.Packed.File, "PackSm90a"] : [];
            return [.. attention, .. tiles, .. packed, "EdgeContraction", "Logits", "LayerNorm", "Edges", "Rows", "Gemm"];
        }
    }

    /// <summary>A folder whose PTX files take the place of those of the same name, for who is writing a kernel; null for none.</summary>
    internal string? PtxFolder { get; set; }

    /// <summary>Compiles what scoring needs on threads of its own, beside what the caller does until then.</summary>
    internal override void PrepareForScoring() => Preload(ScoringFiles);

    /// <summary>Begins to compile files on threads of its own. What fails is told at the first use.</summary>
    /// <param name="files">The files without their extensions, those first that take longest.</param>
    internal void Preload(IEnumerable<string> files)
    {
        Enter();
        _images.Begin(files.Where(f => !_modules.ContainsKey(f)), Math.Clamp(Environment.ProcessorCount, 1, MostCompilers));
    }

    /// <summary>Where compiled kernels are kept; null for nowhere.</summary>
    internal string? CacheFolder => _images.Folder;

    /// <summary>Whether a file's image is kept for later runs.</summary>
    /// <param name="file">The file without its extension.</param>
    internal bool IsKept(string file) => _images.IsKept(file);

    /// <summary>A file's image, from the cache or compiled.</summary>
    /// <param name="file">The file without its extension.</param>
    /// <exception cref="DeviceException">The driver refuses it; the message has its compiler's log.</exception>
    internal KernelImage ImageOf(string file)
    {
        Enter();
        try
        {
            return _images.Get(file);
        }
        catch (CudaException e)
        {
            throw Fault($"{file}{PtxExtension} could not be compiled", e);
        }
    }

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
            Module module = LoadedModule(file);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            List<CudaKernelInfo> kernels = [];
            foreach (string name in Entries(Encoding.UTF8.GetString(PtxOf(file))))
            {
                at = $"the kernel {name}";
                kernels.Add(Inspect(module.Handle, name));
            }
            return new CudaModuleInfo(file, seconds, module.CompileSeconds, module.IsKept, module.Log, kernels);
        }
        catch (CudaException e)
        {
            throw Fault($"{at} could not be loaded", e);
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

    /// <summary>The text of a file: that of the folder of edited files where there is one, else the one that was shipped.</summary>
    /// <param name="file">The file without its extension.</param>
    internal byte[] PtxOf(string file)
    {
        if (PtxFolder is null) return ReadPtx(file);
        string edited = Path.Combine(PtxFolder, $"{file}{PtxExtension}");
        return File.Exists(edited) ? File.ReadAllBytes(edited) : ReadPtx(file);
    }

    // Loaded at its first use. An image from the cache that the driver does not want any more is compiled anew.
    private Module LoadedModule(string file)
    {
        if (_modules.TryGetValue(file, out Module? module)) return module;
        string name = $"{file}{PtxExtension}";
        KernelImage image;
        nint handle = 0;
        do
        {
            image = _images.Get(file);
            try
            {
                handle = _driver.LoadModule(name, image.Bytes);
            }
            catch (CudaException e)
            {
                // A broken context refuses everything.
                _images.Drop(file, refused: !e.Result.IsSticky());
                if (!image.IsKept || e.Result.IsSticky()) throw;
            }
        }
        while (handle == 0);
        _images.Drop(file, refused: false);
        module = new Module(handle, image.Log, image.Seconds, image.IsKept);
        _modules.Add(file, module);
        return module;
    }

    private static string[] Entries(string ptx) => [.. EntryPoint().Matches(ptx).Select(m => m.Groups[1].Value)];

    private static byte[] ReadPtx(string file)
    {
        using Stream resource = Assembly.GetExecutingAssembly().GetManifestResourceStream($"{file}{PtxExtension}")!;
        byte[] ptx = new byte[resource.Length];
        resource.ReadExactly(ptx);
        return ptx;
    }

    [GeneratedRegex(@"\.entry (\w+)\(")]
    private static partial Regex EntryPoint();

    private sealed record Module(nint Handle, string Log, double CompileSeconds, bool IsKept);
}
