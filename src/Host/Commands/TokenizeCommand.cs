using System.Text.Json;
using CommandLine;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath tokenize</c>.</summary>
[Verb("tokenize", HelpText = "Turn text into token ids: one JSON string per line in, one JSON list of ids per line out.")]
internal sealed class TokenizeOptions : CommandOptions
{
    [Option("model", Required = true, MetaValue = "MODEL", HelpText = VocabularyDirectory.Help)]
    public string Model { get; set; } = "";
}

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
