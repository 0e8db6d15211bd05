using System.Diagnostics;

namespace Gradpath.Fuzz.Tests;

/// <summary>
/// Gives a reader damaged files. A finding is an exception other than <see cref="GradpathException"/>, a message of several lines, more
/// than five seconds (each of three times, so that a busy machine is none), or more memory than the file explains.
/// </summary>
internal sealed class Fuzzer : IDisposable
{
    /// <summary>
    /// Bytes that may be allocated per byte of the input, beside what a reader needs for any input: text becomes objects, at worst a
    /// dictionary's entry and a string for every few bytes of JSON, and some readers go over a file twice.
    /// </summary>
    public const int Multiple = 400;

    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(5);

    private readonly FuzzReader _reader;
    private readonly ulong _seed;
    private readonly string _folder;
    private readonly FuzzTarget _target;

    /// <summary>Sets a reader up.</summary>
    /// <param name="reader">The reader.</param>
    /// <param name="seed">The same seed gives the same inputs.</param>
    public Fuzzer(FuzzReader reader, ulong seed)
    {
        _reader = reader;
        _seed = seed;

        // Files that live for a moment: in memory where the system has a folder for that.
        string parent = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        _folder = Path.Combine(parent, $"gradpath-fuzz-{Guid.NewGuid():N}");
        Directory.CreateDirectory(_folder);
        try
        {
            _target = reader.Open(_folder);
        }
        catch
        {
            Directory.Delete(_folder, recursive: true);
            throw;
        }
    }

    /// <summary>Whether the reader refuses nothing.</summary>
    public bool RefusesNothing => _target.RefusesNothing;

    /// <summary>Inputs that were read to their end without complaint.</summary>
    public long Accepted { get; private set; }

    /// <summary>Inputs that were refused with a message.</summary>
    public long Refused { get; private set; }

    /// <summary>Reads the samples, which must be sound.</summary>
    public void ReadSamples()
    {
        foreach (byte[] sample in _target.Samples)
        {
            File.WriteAllBytes(Input, sample);
            _target.Read(Input);
        }
    }

    /// <summary>Reads one damaged file.</summary>
    /// <param name="index">Its number.</param>
    /// <returns>What was found, or null.</returns>
    public Finding? Run(long index)
    {
        byte[] input = new Mutator(_seed, _reader.Name, index).Mutate(_target.Samples, _target.HasHeader);
        if (_target.Seal is not null && index % 2 == 0) input = _target.Seal(input);
        File.WriteAllBytes(Input, input);
        string? found = null;
        for (int attempt = 0; attempt < 3; attempt++)
        {
            (found, bool isSlow) = Read(input.Length);
            if (found is not null || !isSlow) break;
            if (attempt == 2) found = $"more than {s_longest.TotalSeconds} s";
        }
        return found is null ? null : new Finding(_reader.Name, _seed, index, found, input);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _target.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string Input => Path.Combine(_folder, _reader.File);

    private (string? Found, bool IsSlow) Read(int length)
    {
        long start = Stopwatch.GetTimestamp(), before = GC.GetAllocatedBytesForCurrentThread();
        string? found = null;
        try
        {
            _target.Read(Input);
            Accepted++;
        }
        catch (GradpathException e)
        {
            Refused++;
            if (e.Message.Contains('\n', StringComparison.Ordinal)) found = $"a message of several lines: {e.Message}";
            else if (e.Message.Length > 1500) found = $"a message of {e.Message.Length} characters: {e.Message[..300]}";
        }
#pragma warning disable CA1031 // Whatever comes out is what is looked for.
        catch (Exception e)
#pragma warning restore CA1031
        {
            found = e.ToString();
        }
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        if (found is null && allocated > _target.Allowance + ((long)Multiple * length))
            found = $"{allocated} bytes were allocated for an input of {length}";
        return (found, Stopwatch.GetElapsedTime(start) > s_longest);
    }
}
