using System.Text.Json;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>
/// Prompt pairs of the user's own: one JSON object per line (.jsonl), or an array of objects (.json). <c>clean</c>, <c>corrupted</c>,
/// <c>answers</c> and <c>wrong_answers</c> are texts; each may come as token ids instead (<c>clean_ids</c>, <c>corrupted_ids</c>,
/// <c>answer_ids</c>, <c>wrong_answer_ids</c>), and then its text is only shown. <c>id</c>, <c>label</c>, <c>positions</c> and
/// <c>spans</c> are optional, and so is <c>metric</c>, by which all rows of a file are judged. Empty lines are skipped.
/// </summary>
/// <param name="file">The file.</param>
/// <param name="tokenizer">The vocabulary; null where the model has none.</param>
/// <param name="reading">What an answer of several tokens stands for.</param>
/// <param name="notes">Told what a user should know.</param>
internal sealed class JsonPromptReader(PromptFile file, Lazy<BpeTokenizer>? tokenizer, AnswerReading reading, PromptNotes notes)
{
    /// <summary>The pairs of a file with an object per line.</summary>
    public IEnumerable<PromptRow> ReadLines()
    {
        var number = 0;
        var rest = file.Text;
        while (!rest.IsEmpty)
        {
            var end = rest.Span.IndexOf((byte)'\n');
            var line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            number++;
            if (line.Span.Trim(" \t\r"u8).IsEmpty)
                continue;
            var where = $"{file.Path}, line {number}";
            yield return Guarded(where, () =>
            {
                using var document = JsonDocument.Parse(line);
                return ReadRow(document.RootElement, where);
            });
        }
    }

    /// <summary>The pairs of a file that is one array.</summary>
    public IEnumerable<PromptRow> ReadArray()
    {
        using var document = Guarded(file.Path, () => JsonDocument.Parse(file.Text));
        if (document.RootElement.ValueKind != JsonValueKind.Array)
        {
            throw new GradpathException(
                $"{file.Path}: a JSON array of objects is needed, not {JsonFile.Shown(document.RootElement)}. "
                + "A file with one object per line is called .jsonl.");
        }

        var number = 0;
        foreach (var row in document.RootElement.EnumerateArray())
        {
            var where = $"{file.Path}, element {++number}";
            yield return Guarded(where, () => ReadRow(row, where));
        }
    }

    private static T Guarded<T>(string where, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (JsonException error)
        {
            throw new GradpathException($"{where}: not valid JSON: {Quoted.Reason(error)}", error);
        }
        catch (InvalidOperationException error)
        {
            // Half of a surrogate pair as an escape is valid JSON but no text.
            throw new GradpathException($"{where}: a text is not valid Unicode: {error.Message}", error);
        }
    }

    private PromptRow ReadRow(JsonElement json, string where)
    {
        var row = PromptFields.Of(json, where, notes);
        var answers = new AnswerTexts(where, reading, notes);
        var fromText = !row.Has("clean_ids");
        var (first, second) = fromText ? ("clean", "corrupted_ids") : ("clean_ids", "corrupted");
        if (row.Has(first) && row.Has(second) && !row.Has(fromText ? "corrupted" : "corrupted_ids"))
            throw new GradpathException($"{where}: {second} stands beside {first}; give both prompts as text or both as ids.");

        string? clean, corrupted;
        int[] cleanIds, corruptedIds;
        if (fromText)
        {
            (clean, corrupted) = (row.Text("clean"), row.Text("corrupted"));
            var encoder = Vocabulary(where, "the prompt is");
            (cleanIds, corruptedIds) = (encoder.Encode(clean), encoder.Encode(corrupted));
        }
        else
        {
            (clean, corrupted) = (row.OptionalText("clean"), row.OptionalText("corrupted"));
            (cleanIds, corruptedIds) = (row.Integers("clean_ids"), row.Integers("corrupted_ids"));
            Compare(where, "clean", clean, cleanIds);
            Compare(where, "corrupted", corrupted, corruptedIds);
        }

        var right = Answers("answers", "answer_ids");
        var wrong = Answers("wrong_answers", "wrong_answer_ids");
        answers.NoteKinds();
        var pair = new PromptPair(
            cleanIds, corruptedIds, [.. right.Select(a => a[0])], [.. wrong.Select(a => a[0])], row.OptionalText("id"),
            row.OptionalText("label"), clean, corrupted)
        {
            KeyPositions = row.Positions(cleanIds.Length),
            Spans = row.Spans(cleanIds.Length),
            Sequences = AnswerSequences.Where(right, wrong),
        };
        return new PromptRow(pair, where, fromText, row.OptionalText("metric"));

        int[][] Answers(string texts, string ids)
        {
            if (row.Has(ids))
                return Array.ConvertAll(row.Integers(ids), id => new[] { id });
            var given = row.Texts(texts);
            return given.Length == 0 ? [] : answers.Read(texts, given, clean, Vocabulary(where, $"{texts} are"));
        }
    }

    private BpeTokenizer Vocabulary(string where, string what) => tokenizer?.Value ?? throw new GradpathException(
        $"{where}: {what} text, and the model has no vocabulary to encode it ({TokenizerFiles.Needed}). "
        + "Give token ids (clean_ids, ...) or a model with its vocabulary.");

    // Ids beside a text that means others were made for another vocabulary. A text may leave the begin token out.
    private void Compare(string where, string field, string? text, int[] ids)
    {
        if (text is null || tokenizer is null)
            return;
        var encoder = tokenizer.Value;
        var own = encoder.Encode(text);
        var begin = encoder.BeginToken is { } token && ids.Length > 0 && ids[0] == token.Id && (own.Length == 0 || own[0] != token.Id);
        if (!own.AsSpan().SequenceEqual(begin ? ids.AsSpan(1) : ids))
        {
            notes.Add(
                "prompts are so", where,
                $"{field}_ids are not the tokens of {field} in this model's vocabulary, {Quoted.Text(text)}; the ids are taken");
        }
    }
}
