using System.Globalization;
using Gradpath.Kernels.Cuda;
using Gradpath.PtxEmulator.Compile;

namespace Gradpath.PtxEmulator.Survey;

/// <summary>What a kernel is, from its PTX alone.</summary>
/// <param name="File">The PTX file.</param>
/// <param name="Name">The entry point.</param>
/// <param name="Registers">Values alive at once, in 32-bit registers, as <see cref="LiveRegisters"/> counts them.</param>
/// <param name="Threads">Threads of a block by its launch bounds; 0 where it has none.</param>
/// <param name="Blocks">Blocks that its launch bounds promise a multiprocessor.</param>
/// <param name="StaticSharedBytes">Shared memory that it declares.</param>
internal sealed record KernelResources(string File, string Name, int Registers, int Threads, int Blocks, int StaticSharedBytes);

/// <summary>What one case did, as the emulated GPU counted it.</summary>
/// <param name="Case">The case.</param>
/// <param name="Resources">The kernel's.</param>
/// <param name="Counts">Counts of all its launches.</param>
internal sealed record KernelLine(KernelCase Case, KernelResources Resources, KernelStatistics Counts)
{
    /// <summary>Registers that its launch bounds leave a thread, or the launch where it has none.</summary>
    public int AllowedRegisters => LiveRegisters.Allowed(Resources.Threads > 0 ? Resources.Threads : Counts.Threads, Resources.Blocks);

    /// <summary>Bytes of the 32-byte sectors that warps touched; repeated reads that a cache would serve count in full.</summary>
    public long SectorBytes => 32 * (Counts.GlobalSectorsRead + Counts.GlobalSectorsWritten);

    /// <summary>Sectors over the least bytes.</summary>
    public double Ratio => SectorBytes / Case.LeastBytes;

    /// <summary>Turns that accesses to shared memory wait for a bank, per access.</summary>
    public double ConflictsPerRequest => Counts.SharedRequests == 0 ? 0 : (double)Counts.SharedConflicts / Counts.SharedRequests;

    /// <summary>A line of the Markdown table.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"| {Case.Kernel} | {Case.Shape} | {Counts.Threads} | {Resources.Registers} of {AllowedRegisters} | {Resources.StaticSharedBytes:N0} + {Counts.DynamicSharedBytes:N0} "
        + $"| {Counts.Instructions:N0} | {Counts.GlobalBytesRead + Counts.GlobalBytesWritten:N0} | {SectorBytes:N0} | {Case.LeastBytes:N0} | {Ratio:F2} | {ConflictsPerRequest:F3} |");
}

/// <summary>Runs cases on an emulated GPU that counts.</summary>
internal static class KernelSurvey
{
    /// <summary>Heading of the Markdown table.</summary>
    public const string Heading =
        "| kernel | shape | threads | live registers | shared bytes, static + dynamic | instructions | bytes requested | bytes of sectors | least bytes | sectors / least | bank conflicts per request |\n"
        + "|---|---|---|---|---|---|---|---|---|---|---|";

    /// <summary>The PTX files that the device brings along.</summary>
    public static IReadOnlyList<string> Files { get; } =
        [.. typeof(CudaDevice).Assembly.GetManifestResourceNames().Where(n => n.EndsWith(".ptx", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    /// <summary>Every kernel of every file by its name.</summary>
    public static IReadOnlyDictionary<string, KernelResources> Resources { get; } = Files.SelectMany(Read).ToDictionary(k => k.Name);

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
