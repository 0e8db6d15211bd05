using System.Text.Json;

namespace Gradpath.Gpt2Runtime.Tokenization;

/// <summary>What vocab.json and merges.txt state, checked.</summary>
internal sealed class Vocabulary
{
    private const string VocabularyFile = "vocab.json";
    private const string MergesFile = "merges.txt";

    private Vocabulary(string source, Dictionary<string, int> ids, string?[] tokens, int[] byteIds)
    {
        Source = source;
        Ids = ids;
        Tokens = tokens;
        ByteIds = byteIds;
    }

    /// <summary>Path of the vocabulary file, for messages.</summary>
    public string Source { get; }

    /// <summary>Token, in the byte alphabet, to id.</summary>
    public Dictionary<string, int> Ids { get; }

    /// <summary>Id to token; null for ids that the file leaves out.</summary>
    public string?[] Tokens { get; }

    /// <summary>Id of each single byte, or -1.</summary>
    public int[] ByteIds { get; }

    /// <summary>Adjacent pair of ids to its rank (0 is merged first) and to the id of the merged token.</summary>
    public Dictionary<(int Left, int Right), (int Rank, int Id)> Merges { get; } = [];

    public static Vocabulary Load(string directory)
    {
        ArgumentNullException.ThrowIfNull(directory);
        var vocabularyPath = Path.Combine(directory, VocabularyFile);
        var mergesPath = Path.Combine(directory, MergesFile);
        foreach (var path in new[] { vocabularyPath, mergesPath })
        {
            if (!File.Exists(path))
                throw new GradpathException($"No vocabulary: {path} is missing (a GPT-2 vocabulary is {VocabularyFile} and {MergesFile}).");
        }

        try
        {
            var vocabulary = ReadVocabulary(vocabularyPath);
            vocabulary.ReadMerges(mergesPath);
            return vocabulary;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new GradpathException($"Cannot read the vocabulary in {directory}: {error.Message}", error);
        }
    }

    private static Vocabulary ReadVocabulary(string path)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new GradpathException($"{path}: a JSON object from token to id is needed, not {document.RootElement.ValueKind}.");
            foreach (var entry in document.RootElement.EnumerateObject())
            {
                if (entry.Value.ValueKind != JsonValueKind.Number || !entry.Value.TryGetInt32(out var id) || id is < 0 or > 10_000_000)
                    throw new GradpathException($"{path}: the id of \"{entry.Name}\" is {entry.Value}; an integer from 0 is needed.");
                if (!ids.TryAdd(entry.Name, id))
                    throw new GradpathException($"{path}: the token \"{entry.Name}\" stands twice.");
            }
        }
        catch (JsonException error)
        {
            throw new GradpathException($"{path}, line {error.LineNumber + 1}: not valid JSON: {error.Message}", error);
        }

        if (ids.Count == 0)
            throw new GradpathException($"{path}: the vocabulary is empty.");

        var tokens = new string?[ids.Values.Max() + 1];
        foreach (var (token, id) in ids)
        {
            if (tokens[id] is { } other)
                throw new GradpathException($"{path}: \"{other}\" and \"{token}\" have the same id {id}.");
            tokens[id] = token;
        }

        var byteIds = new int[256];
        for (var value = 0; value < 256; value++)
            byteIds[value] = ids.GetValueOrDefault(ByteAlphabet.ToCharacter((byte)value).ToString(), -1);
        return new Vocabulary(path, ids, tokens, byteIds);
    }

    private void ReadMerges(string path)
    {
        var line = 0;
        foreach (var text in File.ReadLines(path))
        {
            line++;
            if (text.Length == 0 || (line == 1 && text.StartsWith("#version", StringComparison.Ordinal)))
                continue;

            var parts = text.Split(' ');
            if (parts.Length != 2 || parts[0].Length == 0 || parts[1].Length == 0)
                throw new GradpathException($"{path}, line {line}: \"{text}\" is no merge; two tokens with one space between them are needed.");
            if (!Merges.TryAdd((IdOf(parts[0]), IdOf(parts[1])), (Merges.Count, IdOf(parts[0] + parts[1]))))
                throw new GradpathException($"{path}, line {line}: the merge \"{text}\" stands twice.");
        }

        int IdOf(string token) => Ids.TryGetValue(token, out var id)
            ? id
            : throw new GradpathException($"{path}, line {line}: \"{token}\" is not a token of {Source}.");
    }
}
