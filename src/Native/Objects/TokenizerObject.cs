using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Native.Handles;

namespace Gradpath.Native.Objects;

/// <summary>A vocabulary.</summary>
/// <param name="tokenizer">The vocabulary.</param>
internal sealed class TokenizerObject(BpeTokenizer tokenizer) : IHandled
{
    /// <summary>The vocabulary.</summary>
    public BpeTokenizer Tokenizer { get; } = tokenizer;

    /// <inheritdoc />
    public HandleKind Kind => HandleKind.Tokenizer;

    /// <inheritdoc />
    public JsonObject Describe() => new()
    {
        ["files"] = Tokenizer.Files,
        ["n_vocabulary"] = Tokenizer.VocabularySize,
        ["begin_token"] = Tokenizer.BeginToken is { } b ? new JsonObject { ["id"] = b.Id, ["text"] = b.Text } : null,
        ["warnings"] = Texts.Array(Tokenizer.Warnings),
    };

    /// <inheritdoc />
    public void Dispose()
    {
    }
}
