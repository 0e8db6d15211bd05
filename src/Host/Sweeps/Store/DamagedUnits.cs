using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Store;

/// <summary>
/// Units whose files are there and cannot be read: a loss of power, a full disk or a bad copy has left them so. No process of a sweep does.
/// </summary>
internal static class DamagedUnits
{
    private const string Aside = "damaged";

    /// <summary>What is wrong with the files of a unit that is done; null where nothing is.</summary>
    /// <param name="folder">The sweep.</param>
    /// <param name="key">The unit's key.</param>
    /// <param name="result">Its result; null where that is damaged.</param>
    /// <exception cref="GradpathException">A file cannot be read at all, whatever is in it.</exception>
    public static string? Fault(SweepFolder folder, string key, out UnitResult? result)
    {
        result = null;
        try
        {
            result = folder.Result(key);
            foreach (string file in folder.FoundFiles(key))
            {
                if (File.Exists(file)) SafetensorsFile.Open(file).Dispose();
            }
            return null;
        }
        catch (GradpathException e) when (IsDamage(e))
        {
            return e.Message;
        }
    }

    /// <summary>Whether a file could be read, but not understood.</summary>
    /// <param name="error">What its reader said.</param>
    public static bool IsDamage(GradpathException error) => error.InnerException is not (IOException or UnauthorizedAccessException);

    /// <summary>
    /// Moves the files of damaged units out of the way, so that these are computed again. Each is claimed before: nobody computes it
    /// meanwhile, and what another process has mended is left alone.
    /// </summary>
    /// <param name="folder">The sweep.</param>
    /// <returns>What was wrong, a sentence for each unit.</returns>
    /// <exception cref="GradpathException">A file cannot be read, or not be moved.</exception>
    public static IReadOnlyList<string> SetAside(SweepFolder folder)
    {
        HashSet<string> done = folder.Done();
        string[] damaged = [.. folder.Units.Select(u => u.Key).Where(k => done.Contains(k) && IsDamaged(folder, k, out _))];
        if (damaged.Length == 0) return [];
        List<string> said = [];
        using UnitClaims claims = folder.Claims();
        foreach (string key in damaged.Where(claims.TryTake))
        {
            try
            {
                if (IsDamaged(folder, key, out string? fault)) said.Add($"{fault}; it is in {Move(folder, key)} now");
            }
            finally
            {
                claims.Release(key, settled: false);
            }
        }
        return said;
    }

    private static bool IsDamaged(SweepFolder folder, string key, out string? fault)
    {
        try
        {
            fault = Fault(folder, key, out _);
            return fault is not null;
        }
        catch (GradpathException) when (!folder.IsDone(key))
        {
            // Another process has set it aside.
            fault = null;
            return false;
        }
    }

    // The result first, without which the others count for nothing.
    private static string Move(SweepFolder folder, string key)
    {
        string aside = Path.Combine(folder.Path, Aside);
        SweepFolder.MakeFolder(aside);
        foreach (string file in (string[])[folder.ResultFile(key), .. folder.FoundFiles(key)])
        {
            try
            {
                if (File.Exists(file)) File.Move(file, Path.Combine(aside, Path.GetFileName(file)), overwrite: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new GradpathException($"{file}: damaged, and cannot be moved to {aside}: {e.Message}", e);
            }
        }
        return aside;
    }
}
