using System.Globalization;
using Gradpath.Diagnostics.KernelRuns;
using Gradpath.Diagnostics.Ops;

namespace Gradpath.PtxEmulator.Survey;

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
        $"| {Case.Kernel} | {Case.Shape} | {Counts.Threads} | {Resources.Registers} of {AllowedRegisters} "
        + $"| {Resources.StaticSharedBytes:N0} + {Counts.DynamicSharedBytes:N0} | {Counts.Instructions:N0} "
        + $"| {Counts.GlobalBytesRead + Counts.GlobalBytesWritten:N0} | {SectorBytes:N0} | {Case.LeastBytes:N0} | {Ratio:F2} "
        + $"| {ConflictsPerRequest:F3} |");
}
