using System.Security.Cryptography;
using System.Text;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>
/// Prompts in the form of PEAP's data (arXiv 2502.04577): a CSV file of clean prompts, whose name ends in <c>_clean.csv</c>, and beside it
/// one of corrupted prompts, <c>_counter_*.csv</c>, with the same rows. A row has <c>prompt</c>, a column per span with the number of the
/// span's first token (a begin token is token 0), <c>length</c> behind them, and <c>correct_token</c> and <c>wrong_token</c> as text. A
/// span ends where the next one begins, the last one at the end of the prompt.
/// </summary>
internal static class PeapReader
{
    private const string Prompt = "prompt";
    private const string Length = "length";
    private const string CleanEnd = "_clean.csv";

    // What stands before the length and is no span.
    private static readonly string[] NoSpans =
        ["", Prompt, "prompt_id", "id", "pair_id", "correct_proffesion_idx", "correct_token", "wrong_token", "label", "split"];

    /// <summary>Whether a CSV file is of this form: by its header.</summary>
    /// <param name="file">The file.</param>
    public static bool Knows(PromptFile file)
    {
        int end = file.Text.Span.IndexOf((byte)'\n');
        string header = Encoding.UTF8.GetString(end < 0 ? file.Text.Span : file.Text.Span[..end]).TrimEnd('\r');
        string[] columns = header.Split(',');
        return columns.Contains(Prompt) && columns.Contains(Length) && !columns.Contains("clean");
    }

    /// <summary>The file with the corrupted prompts beside it as one, for its hash.</summary>
    /// <param name="clean">The file of clean prompts.</param>
    /// <returns>The clean prompts' text with the hash of both, and the corrupted prompts.</returns>
    /// <exception cref="GradpathException">There is no such file, or there are several.</exception>
    public static (PromptFile Clean, PromptFile Corrupted) Both(PromptFile clean)
    {
        string name = Path.GetFileName(clean.Path);
        string folder = Path.GetDirectoryName(Path.GetFullPath(clean.Path))!;
        string pattern = name.EndsWith(CleanEnd, StringComparison.Ordinal) ? name[..^CleanEnd.Length] + "_counter_*.csv" : "";
        string[] found = pattern.Length == 0 ? [] : [.. Directory.GetFiles(folder, pattern).Order(StringComparer.Ordinal)];
        if (found.Length != 1)
        {
            string reason = pattern.Length == 0 ? $"its name does not end in {CleanEnd}"
                : found.Length == 0 ? $"there is no {pattern} beside it" : $"{found.Length} files beside it are called {pattern}";
            throw new GradpathException(
                $"{clean.Path}: the corrupted prompts of PEAP's form are in a file of their own, and {reason}.");
        }
        PromptFile corrupted = PromptFile.Read(found[0]);
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(clean.Hash + corrupted.Hash)));
        return (clean with { Hash = hash }, corrupted);
    }

    /// <summary>The pairs of both files, row by row.</summary>
    /// <param name="clean">The clean prompts.</param>
    /// <param name="corrupted">The corrupted ones.</param>
    /// <param name="tokenizer">The vocabulary in use.</param>
    /// <exception cref="GradpathException">A row is malformed, or for another vocabulary.</exception>
    public static IEnumerable<PromptRow> Read(PromptFile clean, PromptFile corrupted, BpeTokenizer tokenizer)
    {
        using IEnumerator<CsvRecord> others = CsvRecords.Read(corrupted, [Prompt]).GetEnumerator();
        foreach (CsvRecord row in CsvRecords.Read(clean, [Prompt, Length]))
        {
            if (!others.MoveNext()) throw new GradpathException($"{row.Where}: {corrupted.Path} has fewer rows.");
            string text = row[Prompt];
            int[] tokens = tokenizer.Encode(text);
            if (row.Integer(Length) != tokens.Length + 1)
            {
                throw new GradpathException(
                    $"{row.Where}: length is {row.Integer(Length)}, and the prompt has {tokens.Length} tokens and a begin token in the "
                    + "vocabulary in use; the file's spans are for another one.");
            }
            TokenSpan[] spans = [.. Spans(row, tokens.Length + 1)];
            if (TokenSpans.Wrong(spans, tokens.Length) is { } wrong) throw new GradpathException($"{row.Where}: {wrong}.");
            var pair = new PromptPair(
                tokens, tokenizer.Encode(others.Current[Prompt]), Answer(row, "correct_token", tokenizer),
                Answer(row, "wrong_token", tokenizer), null, null, text, others.Current[Prompt])
            {
                Spans = spans,
            };
            yield return new PromptRow(pair, row.Where, FromText: true);
        }
        if (others.MoveNext()) throw new GradpathException($"{others.Current.Where}: {clean.Path} has fewer rows.");
    }

    private static IEnumerable<TokenSpan> Spans(CsvRecord row, int length)
    {
        (string Name, int From)[] starts = [.. row.Columns.TakeWhile(c => c != Length).Except(NoSpans).Select(c => (c, row.Integer(c)))];
        if (starts.Length == 0) throw new GradpathException($"{row.Where}: there is no column of a span before {Length}.");

        // Without the begin token, which may be put in front later.
        for (int i = 0; i < starts.Length; i++)
        {
            int to = i + 1 < starts.Length ? starts[i + 1].From : length;
            yield return new TokenSpan(starts[i].Name, Math.Max(0, starts[i].From - 1), to - 1);
        }
    }

    private static int[] Answer(CsvRecord row, string column, BpeTokenizer tokenizer)
    {
        string? text = row.Optional(column);
        if (string.IsNullOrEmpty(text)) return [];
        return [tokenizer.SingleToken(text) ?? throw CsvTaskReader.NotThisVocabulary(row, $"{Quoted.Text(text)} is not one token")];
    }
}
