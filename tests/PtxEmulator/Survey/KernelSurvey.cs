using Gradpath.Diagnostics.KernelRuns;
using Gradpath.Diagnostics.Ops;
using Gradpath.Kernels.Cuda;
using Gradpath.PtxEmulator.Compile;

namespace Gradpath.PtxEmulator.Survey;

/// <summary>Runs cases on an emulated GPU that counts.</summary>
internal static class KernelSurvey
{
    /// <summary>Heading of the Markdown table.</summary>
    public const string Heading =
        "| kernel | shape | threads | live registers | shared bytes, static + dynamic | instructions | bytes requested "
        + "| bytes of sectors | least bytes | sectors / least | bank conflicts per request |\n"
        + "|---|---|---|---|---|---|---|---|---|---|---|";

    /// <summary>The PTX files that the device brings along.</summary>
    public static IReadOnlyList<string> Files { get; } =
        [
            .. typeof(CudaDevice).Assembly.GetManifestResourceNames().Where(
                n => n.EndsWith(".ptx", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
        ];

    /// <summary>Every kernel of every file by its name.</summary>
    public static IReadOnlyDictionary<string, KernelResources> Resources { get; } = Files.SelectMany(Read).ToDictionary(k => k.Name);

    /// <summary>Every kernel at a representative shape, in the files' order.</summary>
    public static IReadOnlyList<KernelCase> Cases { get; } =
    [
        .. OpCatalog.Kernels.OrderBy(c => Resources[c.Kernel].File, StringComparer.Ordinal),
    ];

    /// <summary>Runs one case on a device of its own.</summary>
    /// <param name="c">The case.</param>
    /// <returns>The counts.</returns>
    public static KernelLine Run(KernelCase c)
    {
        using var driver = new EmulatedDriver(new EmulatorOptions { Count = true, Races = false });
        using (var device = new CudaDevice(driver, 0))
        {
            using var operands = new KernelOperands(device);
            c.Run(operands);
            device.Synchronize();
        }
        return new KernelLine(c, Resources[c.Kernel], driver.Statistics[c.Kernel]);
    }

    private static IEnumerable<KernelResources> Read(string file)
    {
        using Stream resource = typeof(CudaDevice).Assembly.GetManifestResourceStream(file)!;
        byte[] ptx = new byte[resource.Length];
        resource.ReadExactly(ptx);
        Dictionary<string, CompiledKernel> compiled = ModuleCache.Get(ptx, count: true).Kernels;
        foreach ((string name, int threads, int blocks, int registers) in LiveRegisters.Of(System.Text.Encoding.UTF8.GetString(ptx)))
        {
            yield return new KernelResources(file, name, registers, threads, blocks, compiled[name].StaticSharedBytes);
        }
    }
}
