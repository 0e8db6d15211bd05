using System.Security.Cryptography;
using Gradpath.Gpt2Runtime;

namespace Gradpath.Host.Sweeps.Store;

/// <summary>SHA-256 of files, by which what a disk has changed is noticed.</summary>
internal static class FileSums
{
    /// <summary>A file's SHA-256 in hexadecimal digits.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="GradpathException">It cannot be read.</exception>
    public static string Of(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
            return Convert.ToHexStringLower(SHA256.HashData(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw UnreadableFile.Of(path, e);
        }
    }
}
