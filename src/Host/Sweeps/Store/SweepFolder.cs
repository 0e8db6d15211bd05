using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Reports;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Store;

/// <summary>
/// A sweep on the disk: its plan with its units, what has been computed, what has failed, and who computes what. Any number of processes
/// use it at once. Files appear whole, and none changes but by a process that takes its place with the same.
/// </summary>
/// <param name="path">The folder.</param>
/// <param name="plan">The canonical plan.</param>
/// <param name="planHash">Its hash.</param>
/// <param name="units">The units, in the plan's order.</param>
internal sealed class SweepFolder(string path, JsonObject plan, string planHash, IReadOnlyList<SweepUnit> units)
{
    // A unit that took less is computed again sooner than a disk writes it.
    private const double SecondsWorthSyncing = 0.25;

    private const string ResultEnd = ".json";
    private const string ScoresEnd = ".scores.safetensors";
    private const string CircuitEnd = ".circuit.safetensors";
    private const string SumsEnd = ".sums.safetensors";
    private const string Sums = "sums";

    private readonly Dictionary<string, SweepUnit> _units = units.ToDictionary(u => u.Key, StringComparer.Ordinal);

    /// <summary>The folder, as it was named.</summary>
    public string Path { get; } = path;

    /// <summary>What the plan is called.</summary>
    public string Name => Plan["name"] is JsonValue value && value.TryGetValue(out string? name) ? name : System.IO.Path.GetFileName(Path);

    /// <summary>The canonical plan.</summary>
    public JsonObject Plan { get; } = plan;

    /// <summary>Its hash.</summary>
    public string PlanHash { get; } = planHash;

    /// <summary>The units, in the plan's order.</summary>
    public IReadOnlyList<SweepUnit> Units { get; } = units;

    /// <summary>Where the claims are.</summary>
    public string ClaimsFolder => System.IO.Path.Combine(Path, "claims");

    private string ResultsFolder => System.IO.Path.Combine(Path, "units");

    private string FailedFolder => System.IO.Path.Combine(Path, "failed");

    /// <summary>A unit; null where the sweep has none with this key.</summary>
    /// <param name="key">Its key.</param>
    public SweepUnit? Unit(string key) => _units.GetValueOrDefault(key);

    /// <summary>The file of a unit's result.</summary>
    /// <param name="key">The unit's key.</param>
    public string ResultFile(string key) => WorkFile(key) + ResultEnd;

    /// <summary>The file of a unit's scores.</summary>
    /// <param name="key">The unit's key.</param>
    public string ScoresFile(string key) => WorkFile(key) + ScoresEnd;

    /// <summary>The file of the circuit that a unit has found.</summary>
    /// <param name="key">The unit's key.</param>
    public string CircuitFile(string key) => WorkFile(key) + CircuitEnd;

    /// <summary>The files of what a unit has found, of which it has some.</summary>
    /// <param name="key">The unit's key.</param>
    public IEnumerable<string> FoundFiles(string key) =>
        ((string[])[ScoresEnd, CircuitEnd, SumsEnd]).Select(end => WorkFile(key) + end);

    /// <summary>What the files of a unit begin with, see <see cref="IUnitWork.Run"/>.</summary>
    /// <param name="key">The unit's key.</param>
    public string WorkFile(string key) => System.IO.Path.Combine(ResultsFolder, key[..2], key);

    /// <summary>Whether a unit's result is there.</summary>
    /// <param name="key">Its key.</param>
    public bool IsDone(string key) => File.Exists(ResultFile(key));

    /// <summary>
    /// Whether a unit's result is there, whatever this machine remembers of the folder: network file systems look again once a name has
    /// been made in it. Makes the unit's folder where it is missing.
    /// </summary>
    /// <param name="key">Its key.</param>
    /// <exception cref="GradpathException">The folder takes no files.</exception>
    public bool IsDoneByNow(string key)
    {
        // Named as a file that has not become a result, which whoever writes the result deletes where this process is killed. A second name
        // of a file costs less than a file.
        string probe = $"{ResultFile(key)}.{Guid.NewGuid().ToString("N")[..12]}.part";
        try
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(probe)!);
            if (Posix.TryLink(SweepLayout.PlanIn(Path), probe) is null) File.Create(probe, 1).Dispose();
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GradpathException($"cannot write {ResultFile(key)}: {AtomicFile.Reason(e)}", e);
        }
        return IsDone(key);
    }

    /// <summary>Whether a unit's failure is recorded.</summary>
    /// <param name="key">Its key.</param>
    public bool HasFailed(string key) => File.Exists(FailureFile(key));

    /// <summary>The keys of all units whose results are there.</summary>
    public HashSet<string> Done()
    {
        HashSet<string> done = new(StringComparer.Ordinal);
        if (!Directory.Exists(ResultsFolder)) return done;
        foreach (string folder in Directory.EnumerateDirectories(ResultsFolder)) Keys(folder, done);
        return done;
    }

    /// <summary>The keys of all units whose failures are recorded.</summary>
    public HashSet<string> Failed()
    {
        HashSet<string> failed = new(StringComparer.Ordinal);
        Keys(FailedFolder, failed);
        return failed;
    }

    /// <summary>Reads a unit's result.</summary>
    /// <param name="key">Its key.</param>
    /// <exception cref="GradpathException">There is none, or it is damaged; the message says what helps.</exception>
    public UnitResult Result(string key)
    {
        UnitResult result = UnitResultJson.Read(ResultFile(key));
        return result.Key == key ? result : throw new GradpathException(
            $"{ResultFile(key)}: damaged: it is the result of another unit; the next sweep into this folder computes the unit again");
    }

    /// <summary>
    /// Writes what a unit gave: first what it found, then its result, which makes it done; then its saved state goes. Results that took
    /// longer than the disk takes are on the disk when this returns.
    /// </summary>
    /// <param name="outcome">What it gave.</param>
    /// <exception cref="GradpathException">A file cannot be written; the unit is not done.</exception>
    public void Write(UnitOutcome outcome)
    {
        string key = outcome.Result.Key;
        if (outcome.Result.Seconds + outcome.Result.JudgeSeconds >= SecondsWorthSyncing) WriteFiles();
        else AtomicFile.WithoutSync(WriteFiles);
        DeleteState(key);

        void WriteFiles()
        {
            MakeFolder(System.IO.Path.GetDirectoryName(ResultFile(key))!);
            if (outcome.Spans is { } spans) spans.Save(ScoresFile(key));
            else outcome.Scores?.Save(ScoresFile(key));
            outcome.Circuit?.Save(CircuitFile(key));
            if (outcome.Sums is { } sums) WriteSums(WorkFile(key) + SumsEnd, sums);
            (string, string)[] files = [.. FilesOf(outcome).Select(end => (end[1..], FileSums.Of(WorkFile(key) + end)))];
            byte[] text = SealedJson.Write(UnitResultJson.ToJson(outcome.Result with { Files = files }));
            AtomicFile.Write(ResultFile(key), stream => stream.Write(text));
        }
    }

    /// <summary>Reads the sums of a part of divided pairs.</summary>
    /// <param name="key">The part's key.</param>
    /// <returns>[F, K] row-major.</returns>
    /// <exception cref="GradpathException">There are none, or a file of the part is damaged.</exception>
    public double[] SumsOf(string key)
    {
        if (DamagedUnits.Fault(this, key, out _) is { } fault)
            throw new GradpathException($"a part that it is put together from cannot be used: {fault}");
        using SafetensorsFile file = SafetensorsFile.Open(WorkFile(key) + SumsEnd);
        SafetensorsEntry entry = file.Require(Sums);
        if (entry.Dtype != "F64") throw new GradpathException($"{file.Path}: tensor '{Sums}' is of type {entry.Dtype}; F64 is expected");
        byte[] bytes = new byte[entry.Bytes];
        file.Read(entry, 0, bytes);
        return [.. MemoryMarshal.Cast<byte, double>(bytes)];
    }

    /// <summary>Records that a unit cannot be computed.</summary>
    /// <param name="failure">Why.</param>
    /// <exception cref="GradpathException">The record cannot be written.</exception>
    public void Fail(UnitFailure failure)
    {
        MakeFolder(FailedFolder);
        ResultJson.Write(FailureFile(failure.Key), failure.ToJson());
    }

    /// <summary>Why a unit failed; null where it has not. Of a damaged record it is that.</summary>
    /// <param name="key">Its key.</param>
    /// <exception cref="GradpathException">The record cannot be read at all.</exception>
    public UnitFailure? Failure(string key)
    {
        if (!HasFailed(key)) return null;
        try
        {
            return UnitFailure.Read(FailureFile(key));
        }
        catch (GradpathException e) when (DamagedUnits.IsDamage(e))
        {
            return new UnitFailure(key, Unit(key)?.Title ?? key, e.Message, ExitCode.Failure, "", default);
        }
        catch (GradpathException) when (!HasFailed(key))
        {
            // It has been forgotten meanwhile.
            return null;
        }
    }

    /// <summary>The failures of units that are not done, in the plan's order.</summary>
    /// <exception cref="GradpathException">A record cannot be read.</exception>
    public IReadOnlyList<UnitFailure> Failures()
    {
        HashSet<string> failed = Failed();
        return [.. Units.Where(u => failed.Contains(u.Key) && !IsDone(u.Key)).Select(u => Failure(u.Key)).OfType<UnitFailure>()];
    }

    /// <summary>Forgets that a unit has failed, so that the next sweep computes it again.</summary>
    /// <param name="key">Its key.</param>
    /// <returns>Whether it had failed.</returns>
    /// <exception cref="GradpathException">The record cannot be deleted.</exception>
    public bool Forget(string key)
    {
        if (!HasFailed(key)) return false;
        try
        {
            File.Delete(FailureFile(key));
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GradpathException($"cannot delete {FailureFile(key)}: {AtomicFile.Reason(e)}", e);
        }
    }

    /// <summary>The claims of this process.</summary>
    /// <param name="timing">How long claims hold; null for <see cref="ClaimTiming.Default"/>.</param>
    public UnitClaims Claims(ClaimTiming? timing = null)
    {
        MakeFolder(ClaimsFolder);
        return new UnitClaims(ClaimsFolder, timing);
    }

    /// <summary>Makes a folder where it is not there.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="GradpathException">It cannot be made.</exception>
    internal static void MakeFolder(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GradpathException($"cannot make {folder}: {AtomicFile.Reason(e)}", e);
        }
    }

    private static IEnumerable<string> FilesOf(UnitOutcome outcome)
    {
        if (outcome.Scores is not null) yield return ScoresEnd;
        if (outcome.Circuit is not null) yield return CircuitEnd;
        if (outcome.Sums is not null) yield return SumsEnd;
    }

    private static void WriteSums(string path, double[] sums)
    {
        SafetensorsWriter file = new();
        file.Add(Sums, sums, sums.Length);
        file.Write(path);
    }

    private static void Keys(string folder, HashSet<string> into)
    {
        if (!Directory.Exists(folder)) return;
        foreach (string file in Directory.EnumerateFiles(folder))
        {
            ReadOnlySpan<char> name = System.IO.Path.GetFileName(file.AsSpan());
            if (name.Length != UnitJson.KeyLength + ResultEnd.Length || !name.EndsWith(ResultEnd, StringComparison.Ordinal)) continue;
            string key = name[..UnitJson.KeyLength].ToString();
            if (UnitJson.IsKey(key)) into.Add(key);
        }
    }

    private string FailureFile(string key) => System.IO.Path.Combine(FailedFolder, key + ResultEnd);

    // What stays of it is of no more use, and harms nobody.
    private void DeleteState(string key)
    {
        foreach (string file in (string[])[ProgressFile.Beside(WorkFile(key)), ProgressFile.LockBeside(WorkFile(key))])
        {
            try
            {
                File.Delete(file);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return;
            }
        }
    }
}
