using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>
/// The answers of one prompt pair as texts. A text is the token of that text; one that only is a token with a space in front is that token.
/// Notes say where a text would be a token either way, and where right and wrong answers are not of one kind.
/// </summary>
/// <param name="where">File and row.</param>
/// <param name="reading">What an answer of several tokens stands for.</param>
/// <param name="notes">Told what a user should know.</param>
internal sealed class AnswerTexts(string where, AnswerReading reading, PromptNotes notes)
{
    private string? _spaced;
    private string? _glued;

    /// <summary>The tokens of answers.</summary>
    /// <param name="field">The field that they stand in, for messages.</param>
    /// <param name="texts">The answers.</param>
    /// <param name="clean">The clean prompt, where it is known as text.</param>
    /// <param name="tokenizer">The vocabulary.</param>
    /// <returns>The tokens of each: one, or several where a sequence is read.</returns>
    /// <exception cref="GradpathException">One is empty, or of several tokens where that is not wanted.</exception>
    public int[][] Read(string field, string[] texts, string? clean, BpeTokenizer tokenizer) =>
        Array.ConvertAll(texts, text => Read(field, text, clean, tokenizer));

    /// <summary>After all answers: takes a note where some are words with a space in front and others without.</summary>
    public void NoteKinds()
    {
        if (_spaced is not null && _glued is not null)
        {
            notes.Add("rows mix them", where, $"the answers {_spaced} and {_glued} are of different kinds: one is a token with a space in "
                + "front, the other without. A word behind a word needs the space");
        }
    }

    private int[] Read(string field, string text, string? clean, BpeTokenizer tokenizer)
    {
        if (text.Length == 0)
            throw new GradpathException($"{where}: an answer in {field} is an empty text.");
        var given = tokenizer.SingleToken(text);
        var spaced = char.IsWhiteSpace(text[0]) ? null : tokenizer.SingleToken(" " + text);
        var word = char.IsLetterOrDigit(text[0]);
        if (given is { } id && spaced is { } other && word && FollowsAWord(text, clean))
        {
            notes.Add("answers are so", where, $"the answer {Quoted.Text(text)} was taken as token {id}, without a space in front; "
                + $"behind a word {Quoted.Text(" " + text)}, token {other}, is usual. Write the space if it is meant");
        }

        if ((given ?? spaced) is { } token)
        {
            if (given is null || char.IsWhiteSpace(text[0]))
                _spaced ??= Quoted.Text(given is null ? " " + text : text);
            else if (word)
                _glued ??= Quoted.Text(text);
            return [token];
        }

        var ids = tokenizer.Encode(text);
        return reading switch
        {
            AnswerReading.FirstToken => [ids[0]],
            AnswerReading.Sequence => ids,
            _ => throw NotOneToken(field, text, ids, tokenizer),
        };
    }

    // A digit behind a digit goes on with the number; behind a space, an opening bracket or a quotation mark a word stands without one.
    private static bool FollowsAWord(string text, string? clean)
    {
        if (string.IsNullOrEmpty(clean))
            return false;
        var last = clean[^1];
        if (char.IsDigit(text[0]) && char.IsDigit(last))
            return false;
        return char.IsLetterOrDigit(last) || last is ',' or '.' or ';' or ':' or '!' or '?' or ')';
    }

    private GradpathException NotOneToken(string field, string text, int[] ids, BpeTokenizer tokenizer)
    {
        var pieces = ids.Take(8).Select(id => Quoted.Text(tokenizer.Decode([id])));
        var shown = string.Join(" + ", pieces) + (ids.Length > 8 ? $" + ... {ids.Length} in all" : "");
        var what = $"{Quoted.Text(text)} in {field} is not one token of this vocabulary, with or without a leading space (it is {shown})";
        Term first = Terms.AnswerReading.With(AnswerReading.FirstToken), all = Terms.AnswerReading.With(AnswerReading.Sequence);
        return GradpathException.Worded($"{where}: {what}. {first} judges by its first token, {all} by all of them.");
    }
}
