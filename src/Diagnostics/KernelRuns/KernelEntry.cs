using Gradpath.Kernels.Cuda;

namespace Gradpath.Diagnostics.KernelRuns;

/// <summary>An entry point of the shipped kernels, as its PTX has it.</summary>
/// <param name="File">The file without its extension.</param>
/// <param name="Name">The entry point.</param>
/// <param name="Threads">Most threads of a block by its launch bounds; 0 where it has none.</param>
/// <param name="LiveRegisters">Values alive at once, in 32-bit registers: a compiler may do with fewer or take more.</param>
internal sealed record KernelEntry(string File, string Name, int Threads, int LiveRegisters)
{
    private const string Start = ".visible .entry ";

    private static readonly Lazy<IReadOnlyList<KernelEntry>> s_all = new(() => [.. CudaDevice.ModuleFiles.AsParallel().AsOrdered()
        .SelectMany(file => KernelRuns.LiveRegisters.Of(CudaDevice.ShippedPtx(file))
            .Select(e => new KernelEntry(file, e.Name, e.Threads, e.Registers)))]);

    /// <summary>All of them, file by file.</summary>
    public static IReadOnlyList<KernelEntry> All => s_all.Value;

    /// <summary>The PTX of one entry point: the directives before the file's first, and the entry point.</summary>
    /// <param name="ptx">The text of the file.</param>
    /// <param name="name">The entry point.</param>
    public static string PtxOf(string ptx, string name)
    {
        int first = ptx.IndexOf(Start, StringComparison.Ordinal), from = ptx.IndexOf($"{Start}{name}(", StringComparison.Ordinal);
        int end = ptx.IndexOf("\n}", from, StringComparison.Ordinal);
        IEnumerable<string> directives = ptx[..first].Split('\n').Where(line => line.StartsWith('.'));
        return $"{string.Join('\n', directives)}\n\n{ptx[from..(end + 2)]}\n";
    }
}
