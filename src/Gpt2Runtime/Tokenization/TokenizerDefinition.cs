namespace Gradpath.Gpt2Runtime.Tokenization;

/// <summary>Everything that the files of a checkpoint directory state about text and tokens, checked.</summary>
/// <param name="Vocabulary">Tokens and merges.</param>
/// <param name="Special">Added tokens and the begin token.</param>
/// <param name="AddPrefixSpace">Whether text that does not begin with a space gets one.</param>
/// <param name="Files">The files that hold the vocabulary, for people.</param>
/// <param name="Warnings">Contradictions between files that a user should know of.</param>
internal sealed record TokenizerDefinition(
    Vocabulary Vocabulary, SpecialTokens Special, bool AddPrefixSpace, string Files, IReadOnlyList<string> Warnings)
{
    // Classes of Hugging Face's transformers that read vocab.json and merges.txt as GPT-2's tokenizer does, or as any file says.
    private static readonly string[] Classes =
        ["GPT2Tokenizer", "GPT2TokenizerFast", "PreTrainedTokenizer", "PreTrainedTokenizerFast", "PythonBackend", "TokenizersBackend"];

    /// <summary>Reads the files of a checkpoint directory.</summary>
    /// <exception cref="GradpathException">There is no vocabulary, or a file is malformed or of another kind of tokenizer.</exception>
    public static TokenizerDefinition Read(string directory)
    {
        ArgumentNullException.ThrowIfNull(directory);

        // tokenizer.json wins where both are there, as it does in transformers.
        if (TokenizerFiles.Has(directory, TokenizerFiles.Tokenizer))
            return FromTokenizerJson(directory);

        var vocabulary = ReadVocabulary(directory);
        vocabulary = vocabulary.With(MergeList.ReadLines(Path.Combine(directory, TokenizerFiles.Merges), vocabulary));
        var special = SpecialTokens.Read(directory, vocabulary, []);
        RequireWholeMerges(Path.Combine(directory, TokenizerFiles.Merges), vocabulary, special);
        if (special.Config.TokenizerClass is { } name && !Classes.Contains(name))
        {
            var path = Path.Combine(directory, TokenizerFiles.TokenizerConfig);
            throw new GradpathException($"{path}: tokenizer_class is {Quoted.Text(name)}; only GPT-2's (GPT2Tokenizer) is supported");
        }

        var files = $"{TokenizerFiles.Vocabulary} and {TokenizerFiles.Merges}";
        return new TokenizerDefinition(vocabulary, special, special.Config.AddPrefixSpace ?? false, files, special.Warnings);
    }

    private static TokenizerDefinition FromTokenizerJson(string directory)
    {
        var path = Path.Combine(directory, TokenizerFiles.Tokenizer);
        var json = TokenizerJson.Read(path);
        var special = SpecialTokens.Read(directory, json.Vocabulary, json.AddedTokens);
        var warnings = special.Warnings.ToList();
        if (Disagreement(directory, json.Vocabulary) is { } difference)
            warnings.Add($"{directory}: {difference}; {TokenizerFiles.Tokenizer} is taken, as Hugging Face's tokenizer does");

        // GPT2Tokenizer of transformers takes the prefix space from tokenizer_config.json alone. A tokenizer.json that asks for one, with
        // no word about it there, was made by something that added it: that is obeyed, and said.
        if (special.Config.AddPrefixSpace is null && json.AddPrefixSpace)
        {
            warnings.Add(
                $"{path} asks for a space before text (add_prefix_space), and {TokenizerFiles.TokenizerConfig} says nothing of it; "
                + "the space is added");
        }

        var prefixSpace = special.Config.AddPrefixSpace ?? json.AddPrefixSpace;
        return new TokenizerDefinition(json.Vocabulary, special, prefixSpace, TokenizerFiles.Tokenizer, warnings);
    }

    // A token of several letters comes from a merge, unless it was added. A vocabulary may hold a few that nothing makes; a file that was
    // cut off leaves many.
    private static void RequireWholeMerges(string path, Vocabulary vocabulary, SpecialTokens special)
    {
        const int Few = 16;
        var made = vocabulary.Merges.Select(merge => merge.Replace(" ", "", StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal);
        made.UnionWith(special.Tokens.Select(token => token.Content));
        var lacking = vocabulary.Ids.Keys.Where(token => token.Length > 1 && !made.Contains(token)).ToList();
        if (lacking.Count <= Few + (vocabulary.Merges.Count / 20))
            return;
        var lines = MergeList.Lines(path).Select(line => line.Line).LastOrDefault();
        throw new GradpathException(
            $"{path}: ends at line {lines}, and {lacking.Count} tokens of {vocabulary.Source} come from no merge, first "
            + $"{Quoted.Text(lacking[0])}: the file is cut off, or belongs to another vocabulary");
    }

    private static Vocabulary ReadVocabulary(string directory)
    {
        foreach (var name in new[] { TokenizerFiles.Vocabulary, TokenizerFiles.Merges })
        {
            var path = Path.Combine(directory, name);
            if (!File.Exists(path))
                throw new GradpathException($"No vocabulary: {path} is missing (a GPT-2 vocabulary is {TokenizerFiles.Needed})");
        }

        return Vocabulary.Read(Path.Combine(directory, TokenizerFiles.Vocabulary));
    }

    // What vocab.json and merges.txt say otherwise than tokenizer.json, or null. An unreadable one is a difference too, no more.
    private static string? Disagreement(string directory, Vocabulary vocabulary)
    {
        try
        {
            return TokensThatDiffer(Path.Combine(directory, TokenizerFiles.Vocabulary), vocabulary)
                ?? MergesThatDiffer(Path.Combine(directory, TokenizerFiles.Merges), vocabulary);
        }
        catch (GradpathException error)
        {
            return error.Message;
        }
    }

    private static string? TokensThatDiffer(string path, Vocabulary vocabulary)
    {
        if (!File.Exists(path))
            return null;
        var others = Vocabulary.Read(path).Ids;
        foreach (var (token, other) in others)
        {
            if (!vocabulary.Ids.TryGetValue(token, out var id))
                return $"{Quoted.Text(token)} is a token of {TokenizerFiles.Vocabulary} and none of {TokenizerFiles.Tokenizer}";
            if (other != id)
                return $"the id of {Quoted.Text(token)} is {other} in {TokenizerFiles.Vocabulary} and {id} in {TokenizerFiles.Tokenizer}";
        }

        return others.Count == vocabulary.Ids.Count
            ? null
            : $"{TokenizerFiles.Vocabulary} has {others.Count} tokens, {TokenizerFiles.Tokenizer} {vocabulary.Ids.Count}";
    }

    private static string? MergesThatDiffer(string path, Vocabulary vocabulary)
    {
        if (!File.Exists(path))
            return null;
        var count = 0;
        foreach (var (_, merge) in MergeList.Lines(path))
        {
            if (count < vocabulary.Merges.Count && merge != vocabulary.Merges[count])
            {
                return $"merge {count} is {Quoted.Text(merge)} in {TokenizerFiles.Merges} "
                    + $"and {Quoted.Text(vocabulary.Merges[count])} in {TokenizerFiles.Tokenizer}";
            }

            count++;
        }

        return count == vocabulary.Merges.Count
            ? null
            : $"{TokenizerFiles.Merges} has {count} merges, {TokenizerFiles.Tokenizer} {vocabulary.Merges.Count}";
    }
}
