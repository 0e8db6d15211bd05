using System.Text.Json;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Host.Options;
using Gradpath.Host.Reports;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath tokenize</c>: a filter from JSON strings to token ids. No token is added in front.</summary>
internal static class TokenizeCommand
{
    public static CommandReport Run(TokenizeOptions o, Terminal terminal, CancellationToken cancellation)
    {
        BpeTokenizer tokenizer = BpeTokenizer.Load(VocabularyDirectory.Find(o.Model));
        TokenizerNotes.Warn(terminal, tokenizer.Warnings);
        // A filter answers line by line; one object of all lines is only made where it is asked for.
        List<(string Text, IReadOnlyList<int> Ids)> texts = [];
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
            IReadOnlyList<int> ids = [.. tokenizer.Encode(prompt)];
            if (terminal.Json) texts.Add((prompt, ids));
            else terminal.Out.Write($"[{string.Join(", ", ids)}]\n");
        }
        CommandReport report = new();
        report.Data(ReportTable.Of("texts", texts).Hidden("text", t => t.Text).Hidden("ids", t => t.Ids));
        return report;
    }
}
