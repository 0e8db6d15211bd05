using System.Collections.ObjectModel;
using System.Text.Json;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>The fields of one prompt pair in JSON, checked for their names and kinds.</summary>
internal sealed class PromptFields
{
    private const string Needed =
        "A row has clean, corrupted, answers and wrong_answers, or clean_ids, corrupted_ids, answer_ids and wrong_answer_ids.";

    private static readonly string[] Names =
    [
        "clean", "corrupted", "answers", "wrong_answers", "clean_ids", "corrupted_ids", "answer_ids", "wrong_answer_ids", "id", "label",
        "positions", "spans", "metric",
    ];

    private readonly JsonElement _json;
    private readonly string _where;

    private PromptFields(JsonElement json, string where)
    {
        _json = json;
        _where = where;
    }

    /// <summary>Takes a row.</summary>
    /// <param name="json">The row.</param>
    /// <param name="where">File and row, for messages.</param>
    /// <param name="notes">Told of fields that nothing reads.</param>
    /// <exception cref="GradpathException">It is no object, holds a field twice, or one that is nearly called like one that is
    /// read.</exception>
    public static PromptFields Of(JsonElement json, string where, PromptNotes notes)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new GradpathException($"{where}: a JSON object is needed, not {JsonFile.Shown(json)}.");
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var field in json.EnumerateObject())
        {
            var name = field.Name;
            if (!found.Add(name))
                throw new GradpathException($"{where}: the field {Quoted.Text(name)} appears twice.");
        }

        var unread = found.Except(Names, StringComparer.Ordinal).ToArray();
        var shown = new List<string>();
        foreach (var name in unread)
        {
            // An id decides nothing, and many words are near it.
            var meant = NearestName.Of(name.Replace('-', '_'), Names.Where(n => n != "id"));
            if (meant is not null && !found.Contains(meant))
                throw new GradpathException($"{where}: there is no field {Quoted.Text(name)}: did you mean {meant}?");
            shown.Add(Quoted.Text(name) + (meant is null ? "" : $" (did you mean {meant}, which is there too?)"));
        }

        if (unread.Length > 0)
        {
            var names = string.Join(", ", shown.Take(5));
            notes.Add("rows have such fields", where, $"nothing reads the fields {names}{(unread.Length > 5 ? ", ..." : "")}");
        }

        return new PromptFields(json, where);
    }

    /// <summary>Whether a field is there and not null.</summary>
    public bool Has(string field) => _json.TryGetProperty(field, out var value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>A text that must be there.</summary>
    public string Text(string field) => OptionalText(field) ?? throw Missing(field);

    /// <summary>A text, or null.</summary>
    public string? OptionalText(string field)
    {
        if (!Has(field))
            return null;
        var value = _json.GetProperty(field);

        // An id or a label may be a number.
        return value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Number when field is "id" or "label" => value.GetRawText(),
            _ => throw Wrong(field, "a string"),
        };
    }

    /// <summary>Texts; one that stands alone is a list of one. None where the field is not there.</summary>
    public string[] Texts(string field)
    {
        const string Kind = "an array of strings";
        if (!Has(field))
            return [];
        var value = _json.GetProperty(field);
        if (value.ValueKind == JsonValueKind.String)
            return [value.GetString()!];
        if (value.ValueKind != JsonValueKind.Array)
            throw Wrong(field, Kind);
        return [.. value.EnumerateArray().Select(v => v.ValueKind == JsonValueKind.String ? v.GetString()! : throw Wrong(field, Kind))];
    }

    /// <summary>Integers; a number that stands alone is a list of one. 8037.0, which pandas makes of 8037, is one.</summary>
    public int[] Integers(string field)
    {
        if (!Has(field))
            throw Missing(field);
        var value = _json.GetProperty(field);
        return value.ValueKind switch
        {
            JsonValueKind.Number => [Integer(value, field)],
            JsonValueKind.Array => [.. value.EnumerateArray().Select(v => Integer(v, field))],
            _ => throw Wrong(field, "an array of integers"),
        };
    }

    /// <summary>The positions that the row has names for.</summary>
    /// <param name="length">The clean prompt's number of tokens, without a begin token that is still to come.</param>
    public IReadOnlyDictionary<string, int> Positions(int length)
    {
        const string Field = "positions";
        if (!Has(Field))
            return ReadOnlyDictionary<string, int>.Empty;
        var value = _json.GetProperty(Field);
        if (value.ValueKind != JsonValueKind.Object)
            throw Wrong(Field, "an object of names with token numbers, such as {\"S2\": 9}");
        var positions = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        foreach (var entry in value.EnumerateObject())
        {
            var shown = Quoted.Text(entry.Name);
            if (TokenPositions.Reserved(entry.Name))
                throw new GradpathException($"{_where}: {shown} in positions cannot be a name; {TokenPositions.NamesAre}.");
            var at = Integer(entry.Value, Field);
            if ((uint)at >= (uint)length)
            {
                throw new GradpathException($"{_where}: the position {shown} is {at}; the clean prompt has the tokens 0 to {length - 1} "
                    + "(a begin token that is put in front is not counted).");
            }

            if (string.Equals(entry.Name, "end", StringComparison.OrdinalIgnoreCase) && at != length - 1)
                throw new GradpathException($"{_where}: the position {shown} is {at}; it is the last token, {length - 1}.");
            if (!positions.TryAdd(entry.Name, at))
                throw new GradpathException($"{_where}: the position {shown} appears twice.");
        }

        return positions;
    }

    /// <summary>The spans that the row names.</summary>
    /// <param name="length">The clean prompt's number of tokens, without a begin token that is still to come.</param>
    public IReadOnlyList<TokenSpan> Spans(int length)
    {
        const string Field = "spans", Kind = "an object of names with first token and the one behind the last, such as {\"S2\": [9, 10]}";
        if (!Has(Field))
            return [];
        var value = _json.GetProperty(Field);
        if (value.ValueKind != JsonValueKind.Object)
            throw Wrong(Field, Kind);
        var spans = new List<TokenSpan>();
        foreach (var entry in value.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.Array || entry.Value.GetArrayLength() != 2)
                throw Wrong(Field, Kind);
            spans.Add(new TokenSpan(entry.Name, Integer(entry.Value[0], Field), Integer(entry.Value[1], Field)));
        }

        return TokenSpans.Wrong(spans, length) is { } wrong
            ? throw new GradpathException($"{_where}: {wrong} (a begin token that is put in front is not counted).")
            : spans;
    }

    private int Integer(JsonElement value, string field)
    {
        if (value.ValueKind == JsonValueKind.Number)
        {
            if (value.TryGetInt32(out var integer))
                return integer;
            if (value.TryGetDouble(out var real) && real is >= int.MinValue and <= int.MaxValue && real == Math.Truncate(real))
                return (int)real;
        }

        throw new GradpathException($"{_where}: {field} must hold integers, not {JsonFile.Shown(value)}.");
    }

    private GradpathException Wrong(string field, string kind) =>
        new($"{_where}: {field} must be {kind}, not {JsonFile.Shown(_json.GetProperty(field))}.");

    private GradpathException Missing(string field)
    {
        var found = _json.EnumerateObject().Take(12).Select(f => Quoted.Text(f.Name)).ToArray();
        var has = found.Length == 0 ? "This one is empty." : $"This one has {string.Join(", ", found)}.";
        return new($"{_where}: the field {field} is missing. {Needed} {has}");
    }
}
