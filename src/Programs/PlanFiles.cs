using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Programs;

/// <summary>Files of measured plans: which one a device takes.</summary>
internal static class PlanFiles
{
    // Such a file has a few hundred bytes to a product.
    private const long MostBytes = 16 << 20;

    /// <summary>Where a GPU's plans are looked for when the command line names none.</summary>
    /// <param name="gpu">The GPU's product name.</param>
    /// <param name="variable">Reads a variable of the environment.</param>
    /// <returns>The file's path, or null where the user has no configuration folder.</returns>
    public static string? Usual(string gpu, Func<string, string?> variable)
    {
        string? folder = variable("XDG_CONFIG_HOME") is { Length: > 0 } given && Path.IsPathRooted(given)
            ? given
            : variable("HOME") is { Length: > 0 } home ? Path.Combine(home, ".config") : null;
        string name = string.Concat(gpu.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' ? c : '_')).TrimStart('.');
        return folder is null || name.Length == 0 ? null : Path.Combine(folder, "gradpath", "plans", $"{name}.json");
    }

    /// <summary>Gives a GPU the plans that are named, or its usual ones.</summary>
    /// <param name="device">The device; a CPU has none.</param>
    /// <param name="named">The file that the command line names; null for the usual one.</param>
    /// <param name="terminal">Where a note goes of plans that do not fit.</param>
    /// <exception cref="UsageException">The file that is named cannot be used.</exception>
    public static void Apply(Device device, string? named, Terminal terminal)
    {
        if (device is not CudaDevice gpu)
        {
            if (named is null) return;
            throw new UsageException($"--plans {named} is for a GPU, and the device is {device.Name}: leave it out.");
        }
        if (gpu.Options.UseCublas) return;
        string? path = named ?? Usual(gpu.Info.Name, terminal.Variable);
        if (path is null || (named is null && !File.Exists(path))) return;
        string obstacle;
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MostBytes }) throw new FormatException("it is too large for one");
            GemmPlanFile file = GemmPlanFile.Read(File.ReadAllBytes(path));
            if (file.Obstacle(gpu.Info) is not { } differs)
            {
                gpu.UsePlans(file);
                return;
            }
            obstacle = differs;
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            obstacle = e.Message;
        }
        if (named is not null) throw new UsageException($"--plans {named}: {obstacle}.");
        terminal.Remark($"the plans in {path} are not used: {obstacle}");
    }
}
