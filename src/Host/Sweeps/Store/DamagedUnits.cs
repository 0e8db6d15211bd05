using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Store;

/// <summary>
/// Units whose files are not what was written: a loss of power, a full disk, a bad copy or a hand has left them so. No process of a sweep
/// does.
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
        long all = long.MaxValue;
        return Fault(folder, key, ref all, out result);
    }

    /// <summary>The same where not all of the scores and circuits may be read.</summary>
    /// <param name="folder">The sweep.</param>
    /// <param name="key">The unit's key.</param>
    /// <param name="bytes">How much of them may be read to the end, which this takes its part of; where that is below 0, only their
    /// beginnings are read, which tell their lengths.</param>
    /// <param name="result">Its result; null where that is damaged.</param>
    /// <exception cref="GradpathException">A file cannot be read at all, whatever is in it.</exception>
    public static string? Fault(SweepFolder folder, string key, ref long bytes, out UnitResult? result)
    {
        result = null;
        try
        {
            result = folder.Result(key);
            foreach ((string end, string sum) in result.Files)
            {
                string file = $"{folder.WorkFile(key)}.{end}";
                FileInfo there = new(file);
                if (!there.Exists) return $"{file}: there is no such file; {UnitResultJson.Advice}";
                bytes -= there.Length;
                if (bytes < 0) SafetensorsFile.Open(file).Dispose();
                else if (FileSums.Of(file) != sum)
                {
                    return $"{file}: damaged: its content does not match the checksum in {Path.GetFileName(folder.ResultFile(key))}; "
                        + UnitResultJson.Advice;
                }
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
    /// <param name="cancellation">Stops the reading.</param>
    /// <returns>What was wrong, a sentence for each unit.</returns>
    /// <exception cref="GradpathException">A file cannot be read, or not be moved.</exception>
    public static IReadOnlyList<string> SetAside(SweepFolder folder, CancellationToken cancellation = default)
    {
        HashSet<string> done = folder.Done();
        string[] keys = [.. folder.Units.Select(u => u.Key).Where(done.Contains)];
        string[] damaged = Damaged(folder, keys, cancellation);
        if (damaged.Length == 0) return [];
        List<string> said = [];
        using UnitClaims claims = folder.Claims();
        foreach (string key in damaged.Where(claims.TryTake))
        {
            try
            {
                if (IsDamaged(folder, key, out string? fault)) said.Add($"{fault!.TrimEnd('.')}; its files are in {Move(folder, key)} now");
            }
            finally
            {
                claims.Release(key, settled: false);
            }
        }
        return said;
    }

    private static string[] Damaged(SweepFolder folder, string[] keys, CancellationToken cancellation)
    {
        try
        {
            return [.. keys.AsParallel().AsOrdered().WithCancellation(cancellation).Where(k => IsDamaged(folder, k, out _))];
        }
        catch (AggregateException e)
        {
            throw e.InnerExceptions.OfType<GradpathException>().FirstOrDefault() ?? e.InnerExceptions[0];
        }
    }

    private static bool IsDamaged(SweepFolder folder, string key, out string? fault)
    {
        try
        {
            fault = Fault(folder, key, out _);
            return fault is not null && folder.IsDone(key);
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
                throw new GradpathException($"{file}: damaged, and cannot be moved to {aside}: {AtomicFile.Reason(e)}", e);
            }
        }
        return aside;
    }
}
