using System.Text;
using System.Text.Json;

namespace Gradpath.Gpt2Runtime.Tokenization;

/// <summary>
/// Reads merges and checks them against the vocabulary: both parts and what they make must be tokens, and none may stand twice.
/// </summary>
internal sealed class MergeList
{
    private readonly Vocabulary _vocabulary;
    private readonly List<string> _merges;
    private readonly HashSet<string> _seen;

    private MergeList(Vocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        _merges = new List<string>(vocabulary.Ids.Count);
        _seen = new HashSet<string>(vocabulary.Ids.Count, StringComparer.Ordinal);
    }

    /// <summary>Reads merges.txt: a merge per line, two tokens with a space between them. A first line "#version" is passed over.</summary>
    /// <exception cref="GradpathException">A line is no merge of this vocabulary; names file and line.</exception>
    public static IReadOnlyList<string> ReadLines(string path, Vocabulary vocabulary)
    {
        var list = new MergeList(vocabulary);
        foreach (var (line, merge) in Lines(path))
            list.Add(merge, path, "line", line);
        return list._merges;
    }

    /// <summary>The lines of merges.txt that should be merges, with their numbers from 1.</summary>
    public static IEnumerable<(int Line, string Merge)> Lines(string path)
    {
        var bytes = FileText.ToUtf8(path, FileBytes.Read(path));
        if (bytes.Span.IndexOf((byte)0) is >= 0 and var zero)
            throw new GradpathException($"{path}, line {FileText.Line(bytes.Span[..zero])}: a zero byte; this is no text");
        using var reader = new StringReader(Encoding.UTF8.GetString(bytes.Span));
        for (var line = 1; reader.ReadLine() is { } text; line++)
        {
            if (text.Length > 0 && !(line == 1 && text.StartsWith("#version", StringComparison.Ordinal)))
                yield return (line, text);
        }
    }

    /// <summary>Reads the merges of tokenizer.json: strings as in merges.txt, or arrays of two tokens.</summary>
    /// <exception cref="GradpathException">An entry is no merge of this vocabulary; names file and entry.</exception>
    public static IReadOnlyList<string> ReadJson(ReadOnlySpan<byte> json, string path, Vocabulary vocabulary)
    {
        var reader = new Utf8JsonReader(json, JsonFile.Options);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
            throw new GradpathException($"{path}: model.merges is {JsonFile.Shown(ref reader)}; an array of merges is needed");
        var list = new MergeList(vocabulary);
        for (var index = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; index++)
        {
            var merge = reader.TokenType == JsonTokenType.String ? reader.GetString() : ReadPair(ref reader);
            list.Add(
                merge ?? throw new GradpathException($"{path}, merge {index}: a string of two tokens, or an array of two, is needed"),
                path,
                "merge",
                index);
        }

        return list._merges;
    }

    // ["a", "b"] as "a b"; null where it is anything else.
    private static string? ReadPair(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray || !reader.Read() || reader.TokenType != JsonTokenType.String)
            return null;
        var left = reader.GetString();
        if (!reader.Read() || reader.TokenType != JsonTokenType.String)
            return null;
        var right = reader.GetString();
        return reader.Read() && reader.TokenType == JsonTokenType.EndArray ? $"{left} {right}" : null;
    }

    private void Add(string merge, string path, string unit, int number)
    {
        var space = merge.IndexOf(' ', StringComparison.Ordinal);
        if (space < 1 || space == merge.Length - 1 || merge.AsSpan(space + 1).Contains(' '))
        {
            throw new GradpathException(
                $"{path}, {unit} {number}: {Quoted.Text(merge)} is no merge; two tokens with one space between them are needed");
        }

        string left = merge[..space], right = merge[(space + 1)..];
        Require(left);
        Require(right);
        Require(left + right);
        if (!_seen.Add(merge))
            throw new GradpathException($"{path}, {unit} {number}: the merge {Quoted.Text(merge)} appears twice");
        _merges.Add(merge);

        void Require(string token)
        {
            if (!_vocabulary.Ids.ContainsKey(token))
                throw new GradpathException($"{path}, {unit} {number}: {Quoted.Text(token)} is not a token of {_vocabulary.Source}");
        }
    }
}
