using System.Security.Cryptography;
using System.Text;

namespace Gradpath.Kernels.Cuda;

/// <summary>
/// Compiled kernels in a folder, so that only the first run after an update waits for the driver's compiler. A file is named by what it was
/// made from and by what, and holds its own checksum. A file that is damaged or that cannot be read counts as none; a folder that cannot
/// be written keeps nothing, and neither is an error.
/// </summary>
/// <param name="folder">The folder; null to keep nothing.</param>
/// <param name="mostBytes">Where files come to more than this, those that were not used for longest go.</param>
internal sealed class KernelCache(string? folder, long mostBytes = KernelCache.DefaultBytes)
{
    /// <summary>The variable that moves the folder, or that says <c>off</c>.</summary>
    public const string Variable = "GRADPATH_KERNEL_CACHE";

    private const long DefaultBytes = 128L << 20;
    private const int KeyBytes = SHA256.HashSizeInBytes;
    private const string Extension = ".cubin", AsideExtension = ".part";

    // Writers need seconds. What is left of one that was killed is older.
    private static readonly TimeSpan s_abandoned = TimeSpan.FromHours(1);
    private static readonly byte[] s_magic = "GPCUBIN1"u8.ToArray();

    /// <summary>Keeps nothing.</summary>
    public static KernelCache None { get; } = new(null);

    /// <summary>The folder; null where nothing is kept.</summary>
    public string? Folder => folder;

    /// <summary>The cache of this user: where a variable says, else where the system keeps what can be made again.</summary>
    /// <param name="variable">Gives environment variables.</param>
    public static KernelCache Of(Func<string, string?> variable)
    {
        string? said = variable(Variable);
        if (string.Equals(said, "off", StringComparison.OrdinalIgnoreCase)) return None;
        if (!string.IsNullOrEmpty(said)) return new KernelCache(Path.GetFullPath(said));
        string? home = OperatingSystem.IsWindows() ? variable("LOCALAPPDATA") : CacheHome(variable);
        return string.IsNullOrEmpty(home) ? None : new KernelCache(Path.Combine(home, "gradpath", "kernels"));
    }

    /// <summary>What an image depends on.</summary>
    /// <param name="ptx">The text.</param>
    /// <param name="compiler">The driver's version, and its build where that is known.</param>
    /// <param name="capability">The GPU's compute capability.</param>
    public static byte[] Key(ReadOnlySpan<byte> ptx, string compiler, string capability)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(SHA256.HashData(ptx));
        hash.AppendData(Encoding.UTF8.GetBytes($"{compiler}\n{capability}"));
        return hash.GetHashAndReset();
    }

    /// <summary>Looks for an image.</summary>
    /// <param name="name">The file of kernels.</param>
    /// <param name="key">From <see cref="Key"/>.</param>
    /// <returns>The image; null where there is none that is whole.</returns>
    public KernelImage? Find(string name, byte[] key)
    {
        if (PathOf(name, key) is not { } path) return null;
        try
        {
            byte[] content = File.ReadAllBytes(path);
            if (Read(content, key) is not { } image)
            {
                File.Delete(path);
                return null;
            }
            MarkUsed(path);
            return image;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Keeps an image, in place of one that is there.</summary>
    /// <param name="name">The file of kernels.</param>
    /// <param name="key">From <see cref="Key"/>.</param>
    /// <param name="image">The image.</param>
    /// <returns>Whether it is kept.</returns>
    public bool Store(string name, byte[] key, KernelImage image)
    {
        if (PathOf(name, key) is not { } path) return false;
        string aside = $"{path}.{Guid.NewGuid():N}{AsideExtension}";
        try
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder!);
            else Directory.CreateDirectory(folder!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            try
            {
                File.WriteAllBytes(aside, Content(key, image));
                File.Move(aside, path, overwrite: true);
            }
            catch
            {
                File.Delete(aside);
                throw;
            }
            Prune(path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Removes an image, which the driver has refused.</summary>
    /// <param name="name">The file of kernels.</param>
    /// <param name="key">From <see cref="Key"/>.</param>
    public void Delete(string name, byte[] key)
    {
        try
        {
            if (PathOf(name, key) is { } path) File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Whoever finds it next compiles anew as well.
        }
    }

    private static string? CacheHome(Func<string, string?> variable)
    {
        // A path that is not absolute counts as none, by the specification of the variable.
        if (variable("XDG_CACHE_HOME") is { Length: > 0 } cache && Path.IsPathRooted(cache)) return cache;
        return variable("HOME") is { Length: > 0 } home ? Path.Combine(home, ".cache") : null;
    }

    private static byte[] Content(byte[] key, KernelImage image)
    {
        using MemoryStream stream = new();
        using (BinaryWriter writer = new(stream, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(s_magic);
            writer.Write(key);
            writer.Write(image.Seconds);
            writer.Write(image.Log);
            writer.Write(image.Bytes.Length);
            writer.Write(image.Bytes);
        }
        byte[] content = stream.ToArray();
        return [.. content, .. SHA256.HashData(content)];
    }

    private static KernelImage? Read(byte[] content, byte[] key)
    {
        int end = content.Length - SHA256.HashSizeInBytes;
        if (end < s_magic.Length + KeyBytes) return null;
        if (!SHA256.HashData(content.AsSpan(0, end)).AsSpan().SequenceEqual(content.AsSpan(end))) return null;
        using BinaryReader reader = new(new MemoryStream(content, 0, end), Encoding.UTF8);
        if (!reader.ReadBytes(s_magic.Length).SequenceEqual(s_magic) || !reader.ReadBytes(KeyBytes).SequenceEqual(key)) return null;
        double seconds = reader.ReadDouble();
        string log = reader.ReadString();
        return new KernelImage(reader.ReadBytes(reader.ReadInt32()), log, seconds, IsKept: true);
    }

    // The time of the last change is that of the last use. A folder that is read only keeps its times.
    private static void MarkUsed(string path)
    {
        try
        {
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It only goes a little earlier.
        }
    }

    private string? PathOf(string name, byte[] key) =>
        folder is null ? null : Path.Combine(folder, $"{name}-{Convert.ToHexStringLower(key)[..32]}{Extension}");

    private void Prune(string written)
    {
        FileInfo[] files = new DirectoryInfo(folder!).GetFiles();
        foreach (FileInfo aside in files.Where(f => f.Extension == AsideExtension && f.LastWriteTimeUtc < DateTime.UtcNow - s_abandoned))
            aside.Delete();
        long bytes = 0;
        foreach (FileInfo file in files.Where(f => f.Extension == Extension).OrderByDescending(f => f.LastWriteTimeUtc))
        {
            bytes += file.Length;
            if (bytes > mostBytes && file.FullName != written) file.Delete();
        }
    }
}
