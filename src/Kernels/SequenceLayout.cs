namespace Gradpath.Kernels;

/// <summary>
/// Which rows belong to which sequence. Sequences of different lengths lie one after the other without padding; a sequence's
/// queries are its last positions (all of them, or only the very last where nothing else is needed). In front of its own rows a
/// sequence may have a prefix whose keys and values are known from elsewhere and shared by all copies.
/// </summary>
/// <remarks>
/// Copies repeat the same sequences under other values (the points of an integration path): copy c of sequence s is sequence
/// c * S + s, and its rows lie c * rows further on. So a row's place in the first copy is its index modulo the first copy's rows.
/// </remarks>
internal sealed class SequenceLayout : IDisposable
{
    private readonly PackedArrays? _own;

    /// <summary>Lays out sequences on a device.</summary>
    /// <param name="device">Where the ops that use it run.</param>
    /// <param name="lengths">Length of each sequence of the first copy; at least 1.</param>
    /// <param name="copies">Number of copies.</param>
    /// <param name="lastQueryOnly">Whether only the last position of each sequence has a query.</param>
    /// <param name="prefixes">Length of the prefix in front of each sequence of the first copy, which <paramref name="lengths"/> do not
    /// count; empty where there are none.</param>
    public SequenceLayout(
        Device device, ReadOnlySpan<int> lengths, int copies = 1, bool lastQueryOnly = false, ReadOnlySpan<int> prefixes = default)
        : this(new PackedArrays(), lengths, copies, lastQueryOnly, prefixes, out PackedArrays own)
    {
        own.Store(device);
        _own = own;
    }

    /// <summary>Lays out sequences as part of several arrays that go to the device together.</summary>
    /// <param name="arrays">Where the layout's arrays are added; it can be used once they are stored, and as long as they live.</param>
    /// <param name="lengths">Length of each sequence of the first copy; at least 1.</param>
    /// <param name="copies">Number of copies.</param>
    /// <param name="lastQueryOnly">Whether only the last position of each sequence has a query.</param>
    /// <param name="prefixes">Length of the prefix in front of each sequence of the first copy; empty where there are none.</param>
    public SequenceLayout(PackedArrays arrays, ReadOnlySpan<int> lengths, int copies, bool lastQueryOnly, ReadOnlySpan<int> prefixes)
        : this(arrays, lengths, copies, lastQueryOnly, prefixes, out _)
    {
    }

    private SequenceLayout(
        PackedArrays arrays, ReadOnlySpan<int> lengths, int copies, bool lastQueryOnly, ReadOnlySpan<int> prefixes, out PackedArrays stored)
    {
        stored = arrays;
        if (prefixes.Length != 0) ArgumentOutOfRangeException.ThrowIfNotEqual(prefixes.Length, lengths.Length, nameof(prefixes));
        BaseSequences = lengths.Length;
        Copies = copies;
        LastQueryOnly = lastQueryOnly;
        Sequences = lengths.Length * copies;
        int[] keyStart = new int[Sequences];
        int[] keyLength = new int[Sequences];
        int[] queryStart = new int[Sequences];
        int[] queryLength = new int[Sequences];
        long[] probabilityStart = new long[Sequences];
        int[] lastRow = new int[Sequences];
        int[] prefixStart = new int[Sequences];
        int[] prefixLength = new int[Sequences];
        int keys = 0;
        int queries = 0;
        long probabilities = 0;
        for (int s = 0; s < Sequences; s++)
        {
            int item = s % lengths.Length;
            int length = lengths[item];
            ArgumentOutOfRangeException.ThrowIfLessThan(length, 1, nameof(lengths));
            if (item == 0) PrefixRows = 0;
            prefixStart[s] = PrefixRows;
            prefixLength[s] = prefixes.Length == 0 ? 0 : prefixes[item];
            ArgumentOutOfRangeException.ThrowIfNegative(prefixLength[s], nameof(prefixes));
            PrefixRows += prefixLength[s];
            keyStart[s] = keys;
            keyLength[s] = length;
            queryStart[s] = queries;
            queryLength[s] = lastQueryOnly ? 1 : length;
            probabilityStart[s] = probabilities;
            keys += length;
            lastRow[s] = keys - 1;
            queries += queryLength[s];
            int seen = prefixLength[s] + length;
            probabilities += (long)seen * queryLength[s];
            LongestKeys = Math.Max(LongestKeys, seen);
        }
        KeyRows = keys;
        QueryRows = queries;
        ProbabilitiesPerHead = probabilities;
        arrays.Add<int>(keyStart, array => KeyStart = array);
        arrays.Add<int>(keyLength, array => KeyLength = array);
        arrays.Add<int>(queryStart, array => QueryStart = array);
        arrays.Add<int>(queryLength, array => QueryLength = array);
        arrays.Add<long>(probabilityStart, array => ProbabilityStart = array);
        arrays.Add<int>(lastRow, array => LastRow = array);
        arrays.Add<int>(prefixStart, array => PrefixStart = array);
        arrays.Add<int>(prefixLength, array => PrefixLength = array);
    }

    /// <summary>Sequences of one copy.</summary>
    public int BaseSequences { get; }

    /// <summary>Number of copies.</summary>
    public int Copies { get; }

    /// <summary>Whether only the last position of each sequence has a query.</summary>
    public bool LastQueryOnly { get; }

    /// <summary>Sequences of all copies.</summary>
    public int Sequences { get; }

    /// <summary>Rows of all sequences, without prefixes.</summary>
    public int KeyRows { get; }

    /// <summary>Rows of the prefixes of one copy; 0 where there are none.</summary>
    public int PrefixRows { get; }

    /// <summary>Rows that have a query.</summary>
    public int QueryRows { get; }

    /// <summary>Length of the longest sequence with its prefix.</summary>
    public int LongestKeys { get; }

    /// <summary>Attention probabilities of one head: the sum over sequences of queries x keys, those of the prefix included.</summary>
    public long ProbabilitiesPerHead { get; }

    /// <summary>First row of each sequence.</summary>
    public DeviceArray<int> KeyStart { get; private set; } = null!;

    /// <summary>Length of each sequence without its prefix.</summary>
    public DeviceArray<int> KeyLength { get; private set; } = null!;

    /// <summary>First query row of each sequence.</summary>
    public DeviceArray<int> QueryStart { get; private set; } = null!;

    /// <summary>Number of queries of each sequence.</summary>
    public DeviceArray<int> QueryLength { get; private set; } = null!;

    /// <summary>Where a sequence's probabilities start, per head.</summary>
    public DeviceArray<long> ProbabilityStart { get; private set; } = null!;

    /// <summary>The last row of each sequence: where the answer is read.</summary>
    public DeviceArray<int> LastRow { get; private set; } = null!;

    /// <summary>First row of each sequence's prefix among the prefixes' rows; copies share them.</summary>
    public DeviceArray<int> PrefixStart { get; private set; } = null!;

    /// <summary>Length of each sequence's prefix.</summary>
    public DeviceArray<int> PrefixLength { get; private set; } = null!;

    /// <inheritdoc />
    public void Dispose() => _own?.Dispose();
}
