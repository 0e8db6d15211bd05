using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks.Catalog;

/// <summary>
/// The verbs that subject-verb agreement is judged by: all forms that are one token with a leading space. A plural form counts only where
/// the singular form of the same verb counts too.
/// </summary>
internal sealed record VerbList(int[] Singular, int[] Plural)
{
    /// <summary>Name of the list, which lies beside the task's CSV file.</summary>
    public const string FileName = "combined_verb_list.csv";

    /// <summary>Reads a list.</summary>
    /// <param name="task">The task, for messages.</param>
    /// <param name="path">The list's file.</param>
    /// <param name="tokenizer">The vocabulary in use.</param>
    /// <returns>The verbs' tokens.</returns>
    /// <exception cref="GradpathException">The list is missing or malformed, or no verb of it is one token.</exception>
    public static VerbList Read(string task, string path, BpeTokenizer tokenizer)
    {
        if (!File.Exists(path))
        {
            throw new GradpathException(
                $"Task {task}: the verb list {path} is missing. The CSV file names no answers; they are the verbs of {FileName} "
                + "(columns sing and plur), which must lie beside it.");
        }

        var singular = new List<int>();
        var plural = new List<int>();
        foreach (var row in CsvRecords.Read(PromptFile.Read(path), ["sing", "plur"]))
        {
            if (tokenizer.SingleToken(" " + row["sing"]) is not { } one)
                continue;
            singular.Add(one);
            if (tokenizer.SingleToken(" " + row["plur"]) is { } many)
                plural.Add(many);
        }

        if (singular.Count == 0 || plural.Count == 0)
            throw new GradpathException($"{path}: no verb is a single token of this vocabulary, in both numbers.");

        // Verbs that share a form ("lies") count it once.
        return new VerbList([.. singular.Distinct()], [.. plural.Distinct()]);
    }
}
