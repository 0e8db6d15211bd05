using System.Text;
using System.Text.Json;

namespace Gradpath.Gpt2Runtime.Tokenization;

/// <summary>Reads merges and checks them against the vocabulary: both parts and what they make must be tokens, and none may stand twice.</summary>
internal sealed class MergeList
{
    private readonly Vocabulary _vocabulary;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _tokens;
    private readonly List<string> _merges;
    private readonly HashSet<string> _seen;
    private char[] _joined = new char[256];

    private MergeList(Vocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        _tokens = vocabulary.Ids.GetAlternateLookup<ReadOnlySpan<char>>();
        _merges = new List<string>(vocabulary.Ids.Count);
        _seen = new HashSet<string>(vocabulary.Ids.Count, StringComparer.Ordinal);
    }

    /// <summary>Reads merges.txt: a line per merge, the two tokens with one space between them. A first line "#version" is passed over.</summary>
    /// <exception cref="GradpathException">A line is no merge of this vocabulary; names file and line.</exception>
    public static IReadOnlyList<string> ReadLines(string path, Vocabulary vocabulary)
    {
        var list = new MergeList(vocabulary);
        using var reader = new StringReader(Encoding.UTF8.GetString(TokenizerFiles.ReadBytes(path).Span));
        for (var line = 1; reader.ReadLine() is { } text; line++)
        {
            if (text.Length > 0 && !(line == 1 && text.StartsWith("#version", StringComparison.Ordinal)))
                list.Add(text, path, "line", line);
        }

        return list._merges;
    }

    /// <summary>Reads the merges of tokenizer.json: strings as in merges.txt, or arrays of two tokens.</summary>
    /// <exception cref="GradpathException">An entry is no merge of this vocabulary; names file and entry.</exception>
    public static IReadOnlyList<string> ReadJson(JsonElement json, string path, Vocabulary vocabulary)
    {
        if (json.ValueKind != JsonValueKind.Array)
            throw new GradpathException($"{path}: model.merges is {JsonFile.Shown(json)}; an array of merges is needed");
        var list = new MergeList(vocabulary);
        var index = 0;
        foreach (var entry in json.EnumerateArray())
        {
            list.Add(AsText(entry, path, index), path, "merge", index);
            index++;
        }

        return list._merges;
    }

    private static string AsText(JsonElement entry, string path, int index)
    {
        if (entry.ValueKind == JsonValueKind.String)
            return entry.GetString()!;
        if (entry.ValueKind == JsonValueKind.Array && entry.GetArrayLength() == 2
            && entry[0].ValueKind == JsonValueKind.String && entry[1].ValueKind == JsonValueKind.String)
            return $"{entry[0].GetString()} {entry[1].GetString()}";
        throw new GradpathException($"{path}, merge {index}: is {JsonFile.Shown(entry)}; a string of two tokens, or an array of two, is needed");
    }

    private void Add(string merge, string path, string unit, int number)
    {
        var space = merge.IndexOf(' ', StringComparison.Ordinal);
        if (space < 1 || space == merge.Length - 1 || merge.AsSpan(space + 1).Contains(' '))
            throw new GradpathException($"{path}, {unit} {number}: {Quoted.Text(merge)} is no merge; two tokens with one space between them are needed");

        if (merge.Length > _joined.Length)
            _joined = new char[2 * merge.Length];
        merge.CopyTo(0, _joined, 0, space);
        merge.CopyTo(space + 1, _joined, space, merge.Length - space - 1);
        Require(merge.AsSpan(0, space));
        Require(merge.AsSpan(space + 1));
        Require(_joined.AsSpan(0, merge.Length - 1));
        if (!_seen.Add(merge))
            throw new GradpathException($"{path}, {unit} {number}: the merge {Quoted.Text(merge)} stands twice");
        _merges.Add(merge);

        void Require(ReadOnlySpan<char> token)
        {
            if (!_tokens.ContainsKey(token))
                throw new GradpathException($"{path}, {unit} {number}: {Quoted.Text(token)} is not a token of {_vocabulary.Source}");
        }
    }
}
