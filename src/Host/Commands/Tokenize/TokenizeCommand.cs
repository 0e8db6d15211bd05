using System.Text.Encodings.Web;
using System.Text.Json;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Host.Options;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath tokenize</c>: a filter from JSON strings to token ids. No token is added in front.</summary>
internal static class TokenizeCommand
{
    public static int Run(TokenizeOptions o, Terminal terminal, CancellationToken cancellation)
    {
        BpeTokenizer tokenizer = BpeTokenizer.Load(VocabularyDirectory.Find(o.Model));
        for (int line = 1; terminal.In.ReadLine() is { } text; line++)
        {
            cancellation.ThrowIfCancellationRequested();
            string? prompt;
            try
            {
                prompt = JsonSerializer.Deserialize<string>(text);
            }
            catch (JsonException)
            {
                prompt = null;
            }
            if (prompt is null)
                throw new GradpathException($"line {line}: {Shorten(text)} is not a JSON string; expected one such as \"The cat\" per line.");
            terminal.Out.Write($"[{string.Join(", ", tokenizer.Encode(prompt))}]\n");
        }
        return ExitCode.Success;
    }

    private static string Shorten(string text)
    {
        string shown = text.Length > 60 ? text[..57] + "..." : text;
        return $"\"{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(shown)}\"";
    }
}
