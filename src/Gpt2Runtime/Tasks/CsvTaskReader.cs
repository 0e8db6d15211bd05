using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>
/// A CSV file of a task as the EAP-IG library publishes them. Answer columns hold GPT-2 token ids; wherever the text of an answer is known
/// too, the ids are compared with the vocabulary in use, because to another model they mean other words.
/// </summary>
internal sealed class CsvTaskReader
{
    private const string OtherVocabulary = "the file holds token ids of GPT-2's vocabulary, and the model in use has another";

    private readonly CircuitTask _task;
    private readonly PromptFile _file;
    private readonly string _corruptedColumn;
    private readonly bool _needsAnswers;
    private readonly PromptNotes _notes;
    private readonly TaskVariant? _variant;
    private readonly Lazy<Func<CsvRecord, PromptPair>> _read;

    /// <summary>Opens a file.</summary>
    /// <param name="task">The task that the file is of.</param>
    /// <param name="file">The file.</param>
    /// <param name="tokenizer">The vocabulary in use.</param>
    /// <param name="hardCorruption">Whether to take the harder corrupted prompts.</param>
    /// <param name="notes">Told of records that are left out.</param>
    /// <param name="needsAnswers">Whether the columns of answers must be there. Where a row has nothing in them the pair has no
    /// answers.</param>
    /// <exception cref="GradpathException">The task has none, or something that its reader needs is missing.</exception>
    public CsvTaskReader(
        CircuitTask task, PromptFile file, BpeTokenizer tokenizer, bool hardCorruption, PromptNotes notes, bool needsAnswers)
    {
        _task = task;
        _file = file;
        _corruptedColumn = !hardCorruption ? "corrupted"
            : task.HardCorruptionColumn ?? throw new GradpathException($"{file.Path}: the files of {task} have no harder corruption.");
        Tokenizer = tokenizer;
        _notes = notes;
        _needsAnswers = needsAnswers;
        if (task.Variants.Count > 0)
        {
            IReadOnlyCollection<string> header = CsvRecords.Header(file);
            _variant = task.Variants.FirstOrDefault(v => v.Columns.All(header.Contains));
        }
        _read = new(() => (_variant?.Reader ?? task.Reader)(this));
        if (needsAnswers) _ = _read.Value;
    }

    /// <summary>The vocabulary in use.</summary>
    public BpeTokenizer Tokenizer { get; }

    /// <summary>What results call the task of this file.</summary>
    public string TaskName => _variant is null ? _task.Name : $"{_task.Name}-{_variant.Name}";

    private IReadOnlyList<string> Columns => _variant?.Columns ?? _task.Columns;

    /// <summary>The file's pairs, record by record.</summary>
    /// <exception cref="GradpathException">A column is missing, or a record is malformed or for another vocabulary.</exception>
    public IEnumerable<PromptRow> Read()
    {
        string[] prompts = ["clean", "corrupted"];
        string[] answers = [.. Columns.Except(prompts)];
        string[] columns = [.. (_needsAnswers ? Columns : prompts).Append(_corruptedColumn).Distinct()];
        foreach (CsvRecord row in CsvRecords.Read(_file, columns, [.. _task.OldColumns]))
        {
            bool none = answers.All(column => string.IsNullOrEmpty(row.Optional(column)));
            PromptPair pair = none ? Pair(row, [], []) : _read.Value(row);
            // A published file has such a record; by first tokens it asks nothing.
            if (_variant is not null && !none && pair.Answers.SequenceEqual(pair.WrongAnswers))
            {
                _notes.Add("records are so", row.Where, "the right and the wrong answer begin with the same token; the record is left out");
                continue;
            }
            if (pair.Spans.Count == 0) pair = pair with { Spans = SpanNames.OfDifference(pair.Clean, pair.Corrupted, _task.Difference) };
            yield return new PromptRow(pair, row.Where, FromText: true);
        }
    }

    /// <summary>A file that lies beside this one.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>Its path.</returns>
    public string Beside(string name) => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(_file.Path))!, name);

    /// <summary>The pair of a record, its prompts encoded.</summary>
    /// <param name="row">The record.</param>
    /// <param name="answers">The right answers' tokens.</param>
    /// <param name="wrongAnswers">The wrong answers' tokens.</param>
    /// <param name="label">What kind of prompt it is; null for nothing.</param>
    /// <returns>The pair.</returns>
    public PromptPair Pair(CsvRecord row, int[] answers, int[] wrongAnswers, string? label = null)
    {
        string clean = row["clean"], corrupted = row[_corruptedColumn];
        return new PromptPair(Tokenizer.Encode(clean), Tokenizer.Encode(corrupted), answers, wrongAnswers, null, label, clean, corrupted);
    }

    /// <summary>Checks that a word begins with a token. A word of several tokens is judged by its first.</summary>
    /// <param name="row">The record.</param>
    /// <param name="word">The word, without its leading space.</param>
    /// <param name="id">The token.</param>
    /// <exception cref="GradpathException">It begins with another.</exception>
    public void RequireFirstToken(CsvRecord row, string word, int id)
    {
        if (Tokenizer.Encode(" " + word)[0] != id)
            throw NotThisVocabulary(row, $"{Quoted.Text(word)} does not begin with token {id}");
    }

    /// <summary>That a record's token ids are not those of the vocabulary in use.</summary>
    /// <param name="row">The record.</param>
    /// <param name="difference">What differs.</param>
    /// <returns>The error.</returns>
    public static GradpathException NotThisVocabulary(CsvRecord row, string difference) => GradpathException.Worded(
        $"{row.Where}: {OtherVocabulary}: {difference} there. Use a GPT-2 model, or {Terms.GeneratedPrompts}.");
}
