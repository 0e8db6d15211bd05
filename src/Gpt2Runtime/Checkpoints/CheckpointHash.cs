using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>
/// The hash that result files carry to say which model they belong to. SHA-256 over config.json and the weight files (by name); each file
/// contributes its name, a zero byte, its length (8 bytes, little-endian) and its content.
/// <list type="bullet">
/// <item><c>sha256:...</c>, weights up to 256 MiB: the content is every byte.</item>
/// <item><c>sha256-sampled:...</c>, larger weights: the content of a weight file is its header and, of each tensor in the order of the
/// data, the first 64 KiB of every MiB. That is a fingerprint, not a checksum: it tells models apart and sees any small tensor change, but
/// not every damaged byte.</item>
/// </list>
/// </summary>
internal static class CheckpointHash
{
    /// <summary>Weights up to this many bytes are hashed in full.</summary>
    public const long LargestInFull = 256L << 20;

    private const int Stride = 1 << 20;
    private const int Sample = 1 << 16;

    /// <summary>Computes the hash.</summary>
    /// <param name="configPath">config.json.</param>
    /// <param name="config">Its bytes.</param>
    /// <param name="files">The weight files.</param>
    /// <param name="largestInFull">Weights above this size are sampled.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>The hash with its kind in front.</returns>
    public static string Compute(
        string configPath, ReadOnlySpan<byte> config, IReadOnlyList<SafetensorsFile> files, long largestInFull,
        CancellationToken cancellation)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        AppendFrame(hash, configPath, config.Length);
        hash.AppendData(config);
        bool inFull = files.Sum(f => f.Length) <= largestInFull;
        foreach (SafetensorsFile file in files)
        {
            AppendFrame(hash, file.Path, file.Length);
            if (inFull) AppendRange(hash, file, 0, file.Length, Stride, cancellation);
            else AppendSamples(hash, file, cancellation);
            file.RequireUnchanged();
        }
        return (inFull ? "sha256:" : "sha256-sampled:") + Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void AppendFrame(IncrementalHash hash, string path, long length)
    {
        hash.AppendData(Encoding.UTF8.GetBytes(Path.GetFileName(path) + "\0"));
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, length);
        hash.AppendData(bytes);
    }

    private static void AppendSamples(IncrementalHash hash, SafetensorsFile file, CancellationToken cancellation)
    {
        long data = 8 + file.HeaderBytes;
        AppendRange(hash, file, 0, data, Stride, cancellation);
        foreach (SafetensorsEntry entry in file.Entries.Values.OrderBy(e => e.Offset).ThenBy(e => e.Bytes))
        {
            AppendRange(hash, file, data + entry.Offset, entry.Bytes, Sample, cancellation);
        }
    }

    // The first `part` bytes of every MiB of a range: all of it where part is a MiB.
    private static void AppendRange(
        IncrementalHash hash, SafetensorsFile file, long offset, long length, int part, CancellationToken cancellation)
    {
        byte[] buffer = new byte[Math.Min(part, length)];
        for (long done = 0; done < length; done += Stride)
        {
            cancellation.ThrowIfCancellationRequested();
            Span<byte> bytes = buffer.AsSpan(0, (int)Math.Min(part, length - done));
            file.Read(offset + done, bytes);
            hash.AppendData(bytes);
        }
    }
}
