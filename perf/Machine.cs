using System.Diagnostics;
using System.Globalization;

namespace Gradpath.Perf;

/// <summary>What else the machine does, and how much memory this process has taken.</summary>
internal static class Machine
{
    // A machine at rest, and the command that has just built this program.
    private const double QuietShare = 0.5;
    private const string LoadFile = "/proc/loadavg";
    private const string StatusFile = "/proc/self/status";
    private const string ResetFile = "/proc/self/clear_refs";

    /// <summary>The 1-minute load average; null where the system has none.</summary>
    public static double? Load() =>
        File.Exists(LoadFile) ? double.Parse(File.ReadAllText(LoadFile).Split(' ')[0], CultureInfo.InvariantCulture) : null;

    /// <summary>The load in words, with a warning where others are busy.</summary>
    /// <param name="load">The load before the work began.</param>
    /// <param name="cores">Cores of the machine.</param>
    public static string Describe(double? load, int cores) => load switch
    {
        null => "load average: not known on this system",
        { } l when l > QuietShare * cores => string.Create(
            CultureInfo.InvariantCulture,
            $"WARNING: 1-minute load average {l:F2} on {cores} cores: others are busy, and times and ratios are worth little"),
        { } l => string.Create(CultureInfo.InvariantCulture, $"1-minute load average {l:F2} on {cores} cores"),
    };

    /// <summary>Forgets the process's peak, where the system can (Linux).</summary>
    public static void ResetPeakMemory()
    {
        GC.Collect();
        try
        {
            // 5 resets the peak resident set size (proc(5)).
            if (File.Exists(ResetFile)) File.WriteAllText(ResetFile, "5");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Then the peak is that of the whole process so far: an upper bound.
        }
    }

    /// <summary>
    /// Peak resident bytes since <see cref="ResetPeakMemory"/>, or of the process's life where the system cannot reset it.
    /// </summary>
    public static long PeakMemory()
    {
        const string Key = "VmHWM:";
        if (File.Exists(StatusFile) && File.ReadLines(StatusFile).FirstOrDefault(l => l.StartsWith(Key, StringComparison.Ordinal))
            is { } line)
            return 1024 * long.Parse(line[Key.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        using Process process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }
}
