using System.Security.Cryptography;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>One prompt pair as a reader found it: not yet checked, without a begin token.</summary>
/// <param name="Pair">The pair.</param>
/// <param name="Where">File and row, for messages.</param>
/// <param name="FromText">Whether the ids were made from texts here; only those get a begin token.</param>
internal sealed record PromptRow(PromptPair Pair, string Where, bool FromText);

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
