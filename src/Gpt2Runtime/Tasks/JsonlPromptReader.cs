using System.Text.Json;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>
/// Prompt pairs of the user's own, one JSON object per line: <c>clean</c>, <c>corrupted</c>, <c>answers</c>, <c>wrong_answers</c> as
/// texts, or <c>clean_ids</c>, <c>corrupted_ids</c>, <c>answer_ids</c>, <c>wrong_answer_ids</c> as token ids; optional <c>id</c> and
/// <c>label</c>. An answer text must be one token, as given or with a leading space. Empty lines and other fields are skipped.
/// </summary>
internal static class JsonlPromptReader
{
    public static IEnumerable<PromptRow> Read(PromptFile file, Lazy<BpeTokenizer>? tokenizer)
    {
        var number = 0;
        var rest = file.Bytes.AsMemory();
        if (rest.Span.StartsWith("\uFEFF"u8))
            rest = rest[3..];
        while (!rest.IsEmpty)
        {
            var end = rest.Span.IndexOf((byte)'\n');
            var line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            number++;
            if (line.Span.Trim(" \t\r"u8).IsEmpty)
                continue;
            yield return ReadLine(line, $"{file.Path}, line {number}", tokenizer);
        }
    }

    private static PromptRow ReadLine(ReadOnlyMemory<byte> line, string where, Lazy<BpeTokenizer>? tokenizer)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new GradpathException($"{where}: a JSON object is needed, not {document.RootElement.ValueKind}.");
            var row = new Row(document.RootElement, where);
            return row.Has("clean_ids") ? FromIds(row) : FromTexts(row, tokenizer?.Value);
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

    private static PromptRow FromIds(Row row)
    {
        var pair = new PromptPair(
            row.Integers("clean_ids", required: true),
            row.Integers("corrupted_ids", required: true),
            row.Integers("answer_ids", required: false),
            row.Integers("wrong_answer_ids", required: false),
            row.OptionalText("id"),
            row.OptionalText("label"),
            row.OptionalText("clean"),
            row.OptionalText("corrupted"));
        return new PromptRow(pair, row.Where, FromText: false);
    }

    private static PromptRow FromTexts(Row row, BpeTokenizer? tokenizer)
    {
        var clean = row.Text("clean");
        var corrupted = row.Text("corrupted");
        if (tokenizer is null)
        {
            throw new GradpathException(
                $"{row.Where}: the prompt is text, and the model has no vocabulary to encode it ({TokenizerFiles.Needed}). "
                + "Give token ids (clean_ids, ...) or a model with its vocabulary.");
        }

        var pair = new PromptPair(
            tokenizer.Encode(clean),
            tokenizer.Encode(corrupted),
            Answers("answers"),
            Answers("wrong_answers"),
            row.OptionalText("id"),
            row.OptionalText("label"),
            clean,
            corrupted);
        return new PromptRow(pair, row.Where, FromText: true);

        int[] Answers(string field) => Array.ConvertAll(
            row.Texts(field),
            text => tokenizer.SingleToken(text) ?? tokenizer.SingleToken(" " + text) ?? throw NotOneToken(field, text));

        GradpathException NotOneToken(string field, string text)
        {
            var pieces = tokenizer.Encode(text).Select(id => Quoted.Text(tokenizer.Decode([id]))).ToArray();
            var shown = string.Join(" + ", pieces.Take(8)) + (pieces.Length > 8 ? $" + ... {pieces.Length} in all" : "");
            return new(
                $"{row.Where}: {Quoted.Text(text)} in {field} is not one token of this vocabulary, "
                + $"with or without a leading space (it is {shown}).");
        }
    }

    /// <summary>The fields of one line, checked for their kinds.</summary>
    private sealed class Row(JsonElement json, string where)
    {
        public string Where { get; } = where;

        public bool Has(string field) => json.TryGetProperty(field, out _);

        public string Text(string field) => OptionalText(field) ?? throw Missing(field);

        public string? OptionalText(string field)
        {
            if (!json.TryGetProperty(field, out var value) || value.ValueKind == JsonValueKind.Null)
                return null;

            // An id or a label may be a number.
            return value.ValueKind switch
            {
                JsonValueKind.String => value.GetString(),
                JsonValueKind.Number when field is "id" or "label" => value.GetRawText(),
                _ => throw Wrong(field, "a string"),
            };
        }

        public string[] Texts(string field) =>
            [.. Elements(field, required: false, "an array of strings").Select(value =>
                value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong(field, "an array of strings"))];

        public int[] Integers(string field, bool required) =>
            [.. Elements(field, required, "an array of integers").Select(value =>
                value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var id)
                    ? id
                    : throw Wrong(field, "an array of integers"))];

        private JsonElement[] Elements(string field, bool required, string kind)
        {
            if (!json.TryGetProperty(field, out var value))
                return required ? throw Missing(field) : [];
            return value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : throw Wrong(field, kind);
        }

        private GradpathException Wrong(string field, string kind) => new($"{Where}: {field} must be {kind}.");

        private GradpathException Missing(string field) => new(
            $"{Where}: the field {field} is missing. A line has clean, corrupted, answers and wrong_answers, or clean_ids, corrupted_ids, "
                + "answer_ids and wrong_answer_ids.");
    }
}
