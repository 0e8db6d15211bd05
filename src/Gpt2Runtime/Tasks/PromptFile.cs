using System.Security.Cryptography;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>A file of prompts as bytes, with their hash.</summary>
internal sealed record PromptFile(string Path, byte[] Bytes)
{
    public string Hash { get; } = Convert.ToHexStringLower(SHA256.HashData(Bytes));

    public static PromptFile Read(string path)
    {
        try
        {
            return new PromptFile(path, File.ReadAllBytes(path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new GradpathException($"Cannot read the prompts: {error.Message}", error);
        }
    }
}
