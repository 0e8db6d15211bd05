using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;

namespace Gradpath.Host.Sweeps.Store;

/// <summary>
/// Which process computes which unit, by files that any number of processes on any number of machines make in one folder. A claim is a file
/// that only one process can create. Its time of change is its sign of life: the process writes it anew every few seconds, and a claim that
/// has none for long has expired.
/// </summary>
/// <remarks>
/// <para>Nobody moves or deletes another process's claim while the unit is open. Whoever takes over from an expired claim <c>KEY</c>
/// creates <c>KEY.1</c>, from that <c>KEY.2</c> and so on; the highest counts, and of several that want to take over at once one creates
/// it. The claims of a unit go when it is done.</para>
/// <para>No lock is relied upon, and only times of files are compared with times of files. A process that was held up for longer than half
/// of the expiry may lose its claim without knowing; then two compute one unit, to the same result.</para>
/// </remarks>
internal sealed class UnitClaims : IDisposable
{
    private const int LongestClaim = 4096;
    private const int AlreadyThere = 17;
    private const int AlreadyThereOnWindows = unchecked((int)0x80070050);

    private readonly string _folder;
    private readonly ClaimTiming _timing;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Held> _held = new(StringComparer.Ordinal);
    private readonly ManualResetEventSlim _ended = new();
    private readonly string _host = Environment.MachineName;
    private Thread? _heart;

    /// <summary>Claims of this process in a folder.</summary>
    /// <param name="folder">The folder, which is there.</param>
    /// <param name="timing">How long claims hold; null for <see cref="ClaimTiming.Default"/>.</param>
    public UnitClaims(string folder, ClaimTiming? timing = null)
    {
        _folder = folder;
        _timing = timing ?? ClaimTiming.Default;
        AppDomain.CurrentDomain.ProcessExit += ReleaseAll;
    }

    /// <summary>Claims a unit.</summary>
    /// <param name="key">Its key.</param>
    /// <returns>Whether it is this process's now. It may have been done before; whoever claims looks again.</returns>
    /// <exception cref="GradpathException">The folder takes no files.</exception>
    public bool TryTake(string key)
    {
        UnitClaim? expired = null;
        for (int place = 0; ; place++)
        {
            if (Create(key, place) is { } mine)
            {
                // The expired claim may have gone since it was looked at, with the unit's end: then this is no place above it.
                if (expired is not null && !IsExpired(key, place - 1, expired.Token))
                {
                    Delete(PathOf(key, place));
                    return false;
                }
                if (!File.Exists(PathOf(key, place + 1))) return Hold(key, mine);

                // A place below others was free. It is filled now, and those above count.
            }
            while (File.Exists(PathOf(key, place + 1))) place++;
            expired = Look(key, place);
            if (expired is null || Now() - expired.Touched <= _timing.Expiry) return false;
        }
    }

    /// <summary>Says how far a unit is. It is written with the next sign of life, so that others see it.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="share">The share that is done.</param>
    /// <param name="stage">Of what; empty where it is all of it.</param>
    public void Report(string key, double share, string stage)
    {
        lock (_lock)
        {
            if (_held.TryGetValue(key, out Held? held)) held.Share = string.Create(CultureInfo.InvariantCulture, $"{share:0.###} {stage}");
        }
    }

    /// <summary>Gives a unit back.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="settled">Whether it is done or has failed, so that nobody wants it any more.</param>
    public void Release(string key, bool settled)
    {
        Held? held;
        lock (_lock)
        {
            if (!_held.Remove(key, out held)) return;
        }

        // A process that was killed may have left its own.
        if (held.Place > 0 || held.Share is not null) Delete(ShareOf(key));
        if (settled)
        {
            for (int place = held.Place; place >= 0; place--) Delete(PathOf(key, place));
        }
        else if (Stopwatch.GetElapsedTime(held.Touched) < _timing.Sure && Touch(held) && !File.Exists(PathOf(key, held.Place + 1)))
            Delete(held.Path);
    }

    /// <summary>Whether a unit is still this process's: it has given a sign of life not long ago, and nobody has taken over.</summary>
    /// <param name="key">Its key.</param>
    public bool Holds(string key)
    {
        lock (_lock)
        {
            return _held.TryGetValue(key, out Held? held) && Stopwatch.GetElapsedTime(held.Touched) < _timing.Sure
                && !File.Exists(PathOf(key, held.Place + 1));
        }
    }

    /// <summary>The keys of units that anybody has claimed, expired or not.</summary>
    public HashSet<string> Keys() => [.. Files().Select(f => f.Key)];

    /// <summary>The claim that counts of each unit, and whether it has expired.</summary>
    /// <param name="now">The file system's time; where nothing can be written, this machine's.</param>
    public IReadOnlyList<(UnitClaim Claim, bool IsExpired)> All(out DateTime now)
    {
        UnitClaim[] claims =
        [
            .. Files().GroupBy(f => f.Key, StringComparer.Ordinal).Select(g => Look(g.Key, g.Max(f => f.Place))).OfType<UnitClaim>()
                .Select(c => c with { Done = ReadShare(c.Key) }),
        ];
        try
        {
            now = Now();
        }
        catch (GradpathException)
        {
            now = DateTime.UtcNow;
        }
        DateTime time = now;
        return [.. claims.Select(c => (c, time - c.Touched > _timing.Expiry))];
    }

    /// <summary>Gives all units back and ends the signs of life.</summary>
    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= ReleaseAll;
        _ended.Set();
        _heart?.Join();
        ReleaseAll(null, EventArgs.Empty);
        _ended.Dispose();
    }

    private static GradpathException Unwritable(string path, Exception e) => new($"cannot write {path}: {AtomicFile.Reason(e)}", e);

    private static void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What stays expires.
        }
    }

    // Writes the same bytes again, which gives the file the time of its own disk. Whether the file is still the claim that was made.
    private static bool Touch(Held held)
    {
        long now = Stopwatch.GetTimestamp();
        try
        {
            using FileStream file = new(held.Path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, 0);
            byte[] there = new byte[held.Content.Length + 1];
            if (!there.AsSpan(0, RandomAccess.Read(file.SafeFileHandle, there, 0)).SequenceEqual(held.Content)) return false;
            RandomAccess.Write(file.SafeFileHandle, held.Content, 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The disk does not answer at the moment, or the claim has gone.
            return false;
        }
        Volatile.Write(ref held.Touched, now);
        return true;
    }

    // A process that is ended in its work gives back what others may go on with.
    private void ReleaseAll(object? sender, EventArgs e)
    {
        string[] keys;
        lock (_lock) keys = [.. _held.Keys];
        foreach (string key in keys) Release(key, settled: false);
    }

    private string PathOf(string key, int place) =>
        Path.Combine(_folder, place == 0 ? key : string.Create(CultureInfo.InvariantCulture, $"{key}.{place}"));

    private bool Hold(string key, Held mine)
    {
        lock (_lock)
        {
            _held[key] = mine;
            if (_heart is not null) return true;
            _heart = new Thread(Beat) { IsBackground = true, Name = "claims", Priority = ThreadPriority.AboveNormal };
            _heart.Start();
        }
        return true;
    }

    private void Beat()
    {
        while (!_ended.Wait(_timing.Heartbeat))
        {
            KeyValuePair<string, Held>[] held;
            lock (_lock) held = [.. _held];
            foreach ((string key, Held one) in held)
            {
                if (Touch(one) && one.Share is { } share) WriteShare(key, share);
            }
        }
    }

    private string ShareOf(string key) => Path.Combine(_folder, key + ".share");

    // It is of no more use a moment later, and nobody depends on it.
    private void WriteShare(string key, string share)
    {
        try
        {
            File.WriteAllText(ShareOf(key), share);
            lock (_lock)
            {
                if (_held.ContainsKey(key)) return;
            }
            Delete(ShareOf(key));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The disk does not answer at the moment.
        }
    }

    private (double Share, string Stage)? ReadShare(string key)
    {
        try
        {
            return File.Exists(ShareOf(key)) && File.ReadAllText(ShareOf(key)).Split(' ', 2) is [var share, var stage]
                && double.TryParse(share, NumberStyles.Float, CultureInfo.InvariantCulture, out double done)
                ? (done, stage)
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // Null where the file is there.
    private Held? Create(string key, int place)
    {
        string path = PathOf(key, place);
        long now = Stopwatch.GetTimestamp();
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, 0);
        }
        catch (IOException e) when (e.HResult is AlreadyThere or AlreadyThereOnWindows)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(path, e);
        }
        try
        {
            using (file)
            {
                JsonObject claim = new()
                {
                    ["host"] = _host,
                    ["pid"] = Environment.ProcessId,
                    ["token"] = Guid.NewGuid().ToString("N"),
                    ["taken"] = File.GetLastWriteTimeUtc(file.SafeFileHandle).ToString("O", CultureInfo.InvariantCulture),
                };
                byte[] content = Encoding.UTF8.GetBytes(claim.ToJsonString());
                RandomAccess.Write(file.SafeFileHandle, content, 0);
                return new Held(path, place, content, now);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Delete(path);
            throw Unwritable(path, e);
        }
    }

    // Through an open file: network file systems ask the server then, and do not answer from memory.
    private UnitClaim? Look(string key, int place)
    {
        string path = PathOf(key, place);
        byte[] content = new byte[LongestClaim];
        DateTime touched;
        int length;
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0);
            length = RandomAccess.Read(file.SafeFileHandle, content, 0);
            touched = File.GetLastWriteTimeUtc(file.SafeFileHandle);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GradpathException($"{path}: cannot be read: {AtomicFile.Reason(e)}", e);
        }
        UnitClaim unknown = new(key, "", 0, "", touched, touched);
        try
        {
            // Nothing is in it for a moment after it was made, or for good where its maker was killed then.
            if (JsonNode.Parse(content.AsSpan(0, length)) is not JsonObject claim) return unknown;
            return DateTime.TryParse(
                claim["taken"]!.GetValue<string>(), CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out DateTime taken)
                ? new UnitClaim(key, claim["host"]!.GetValue<string>(), claim["pid"]!.GetValue<int>(), claim["token"]!.GetValue<string>(),
                    taken, touched)
                : unknown;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException or FormatException)
        {
            return unknown;
        }
    }

    private bool IsExpired(string key, int place, string token) =>
        Look(key, place) is { } claim && claim.Token == token && Now() - claim.Touched > _timing.Expiry;

    private DateTime Now()
    {
        string path = Path.Combine(_folder, $"{Guid.NewGuid():N}.clock");
        try
        {
            using FileStream file = new(
                path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, 0, FileOptions.DeleteOnClose);
            return File.GetLastWriteTimeUtc(file.SafeFileHandle);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(path, e);
        }
    }

    private IEnumerable<(string Key, int Place)> Files()
    {
        foreach (string path in Directory.EnumerateFiles(_folder))
        {
            ReadOnlySpan<char> name = Path.GetFileName(path.AsSpan());
            if (name.Length < UnitJson.KeyLength) continue;
            string key = name[..UnitJson.KeyLength].ToString();
            if (!UnitJson.IsKey(key)) continue;
            ReadOnlySpan<char> rest = name[key.Length..];
            int place = 0;
            if (rest.IsEmpty
                || (rest[0] == '.' && int.TryParse(rest[1..], NumberStyles.None, CultureInfo.InvariantCulture, out place)))
                yield return (key, place);
        }
    }

    private sealed class Held(string path, int place, byte[] content, long touched)
    {
        /// <summary>The time of the last sign of life, before it was given.</summary>
        public long Touched = touched;

        /// <summary>How far the unit is; null before that is known.</summary>
        public string? Share;

        /// <summary>The file.</summary>
        public string Path { get; } = path;

        /// <summary>How many claims expired before it.</summary>
        public int Place { get; } = place;

        /// <summary>What is in the file.</summary>
        public byte[] Content { get; } = content;
    }
}
