using System.Security.Cryptography;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>A file of prompts: its text as UTF-8, and the hash of its bytes as they are.</summary>
internal sealed record PromptFile(string Path, ReadOnlyMemory<byte> Text, string Hash)
{
    public static PromptFile Read(string path)
    {
        try
        {
            return Of(path, File.ReadAllBytes(path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw UnreadableFile.Of(path, error);
        }
    }

    public static PromptFile Of(string path, byte[] bytes) =>
        new(path, FileText.ToUtf8(path, bytes), Convert.ToHexStringLower(SHA256.HashData(bytes)));
}
