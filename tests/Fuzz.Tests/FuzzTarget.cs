namespace Gradpath.Fuzz.Tests;

/// <summary>What reads a file, with sound files to begin from.</summary>
/// <param name="samples">Sound files.</param>
/// <param name="read">Reads a file as the program does; whatever is not <see cref="GradpathException"/> is a finding.</param>
/// <param name="owned">Disposed of with this.</param>
internal sealed class FuzzTarget(IReadOnlyList<byte[]> samples, Action<string> read, IDisposable? owned = null) : IDisposable
{
    /// <summary>Sound files.</summary>
    public IReadOnlyList<byte[]> Samples { get; } = samples;

    /// <summary>Whether mutations are made to the JSON header of a file that is binary behind it.</summary>
    public bool HasHeader { get; init; }

    /// <summary>Makes a checksum right that the damage made wrong, on every other input: what is behind it is read too.</summary>
    public Func<byte[], byte[]>? Seal { get; init; }

    /// <summary>Whether nothing is refused, because there is something else to go by.</summary>
    public bool RefusesNothing { get; init; }

    /// <summary>Bytes that an input may take beside <see cref="Fuzzer.Multiple"/> times its size.</summary>
    public long Allowance { get; init; } = 24 << 20;

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    public void Read(string path) => read(path);

    /// <inheritdoc />
    public void Dispose() => owned?.Dispose();
}
