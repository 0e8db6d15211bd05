using System.Text.Json;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Host.Options;
using Gradpath.Host.Reports;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath tokenize</c>: a filter from JSON strings to token ids. No token is added in front.</summary>
internal static class TokenizeCommand
{
    public static int Run(TokenizeOptions o, Terminal terminal, CancellationToken cancellation)
    {
        BpeTokenizer tokenizer = BpeTokenizer.Load(VocabularyDirectory.Find(o.Model));
        TokenizerNotes.Warn(terminal, tokenizer.Warnings);
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
                throw new GradpathException($"line {line}: {Quoted.Text(text)} is no JSON string; one such as \"The cat\" is needed.");
            terminal.Out.Write($"[{string.Join(", ", tokenizer.Encode(prompt))}]\n");
        }
        return ExitCode.Success;
    }
}
