using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>
/// The CSV files of the six tasks as the EAP-IG library publishes them. Their answer columns hold GPT-2 token ids; wherever the text of
/// an answer is known too, the ids are compared with the vocabulary in use, because to another model they mean other words.
/// </summary>
internal sealed class CsvTaskReader
{
    private const string OtherVocabulary = "the file holds token ids of GPT-2's vocabulary, and the model in use has another";

    private readonly TaskInfo _task;
    private readonly BpeTokenizer _tokenizer;
    private readonly PromptFile _file;
    private readonly string _corruptedColumn;
    private readonly bool _needsAnswers;
    private readonly Lazy<Func<CsvRecord, PromptPair>> _read;

    /// <param name="task">The task that the file is of.</param>
    /// <param name="file">The file.</param>
    /// <param name="tokenizer">The vocabulary in use.</param>
    /// <param name="hardCorruption">IOI only: take the column <c>corrupted_hard</c> (the indirect object in place of the subject).</param>
    /// <param name="needsAnswers">Whether the columns of answers must be there. Where a row has nothing in them the pair has no
    /// answers.</param>
    public CsvTaskReader(TaskInfo task, PromptFile file, BpeTokenizer tokenizer, bool hardCorruption, bool needsAnswers)
    {
        _task = task;
        _tokenizer = tokenizer;
        _file = file;
        _corruptedColumn = hardCorruption ? "corrupted_hard" : "corrupted";
        _needsAnswers = needsAnswers;
        _read = new(() => task.Name switch
        {
            TaskCatalog.Ioi => Ioi,
            TaskCatalog.GreaterThan => GreaterThan(new TwoDigitTokens(tokenizer)),
            TaskCatalog.Sva =>
                Sva(VerbList.Read(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file.Path))!, VerbList.FileName), tokenizer)),
            TaskCatalog.GenderBias => GenderBias,
            TaskCatalog.CountryCapital => CountryCapital,
            TaskCatalog.Hypernymy => Hypernymy,
            _ => throw new InvalidOperationException($"The task {task.Name} has no CSV format."),
        });
    }

    public IEnumerable<PromptRow> Read()
    {
        // Older greater-than files call the year "label".
        (string, string)[] otherNames = _task.Name == TaskCatalog.GreaterThan ? [("label", "correct_idx")] : [];
        string[] prompts = ["clean", "corrupted"];
        string[] answers = [.. _task.Columns.Except(prompts)];
        foreach (var row in CsvRecords.Read(_file, [.. _needsAnswers ? _task.Columns : prompts, _corruptedColumn], otherNames))
        {
            var none = answers.All(column => string.IsNullOrEmpty(row.Optional(column)));
            yield return new PromptRow(none ? Pair(row, [], []) : _read.Value(row), row.Where, FromText: true);
        }
    }

    private PromptPair Pair(CsvRecord row, int[] answers, int[] wrongAnswers, string? id = null, string? label = null)
    {
        string clean = row["clean"], corrupted = row[_corruptedColumn];
        return new PromptPair(_tokenizer.Encode(clean), _tokenizer.Encode(corrupted), answers, wrongAnswers, id, label, clean, corrupted);
    }

    private PromptPair Ioi(CsvRecord row)
    {
        int right = row.Integer("correct_idx"), wrong = row.Integer("incorrect_idx");
        var pair = Pair(row, [right], [wrong]);
        foreach (var id in new[] { right, wrong })
        {
            if (!pair.Clean.Contains(id))
                throw NotThisVocabulary(row, $"token {id} does not occur in {Quoted.Text(pair.CleanText)}");
        }

        return pair;
    }

    private Func<CsvRecord, PromptPair> GreaterThan(TwoDigitTokens digits) => row =>
    {
        var year = row.Integer("correct_idx");
        if (year is < 0 or > 99)
            throw new GradpathException($"{row.Where}: the year {year} is not within 0 and 99.");
        if (!row["clean"].Contains($"{year:00} ", StringComparison.Ordinal))
        {
            throw new GradpathException(
                $"{row.Where}: correct_idx is {year}, but no number in {Quoted.Text(row["clean"])} ends in {year:00}.");
        }

        return Pair(row, digits.After(year), digits.UpTo(year));
    };

    private Func<CsvRecord, PromptPair> Sva(VerbList verbs) => row => row["plural"] switch
    {
        "0" => Pair(row, verbs.Singular, verbs.Plural, label: row.Optional("group")),
        "1" => Pair(row, verbs.Plural, verbs.Singular, label: row.Optional("group")),
        var other => throw new GradpathException($"{row.Where}: plural is {Quoted.Text(other)}; 0 or 1 is needed."),
    };

    private PromptPair GenderBias(CsvRecord row)
    {
        int right = row.Integer("clean_answer_idx"), wrong = row.Integer("corrupted_answer_idx");
        int? he = _tokenizer.SingleToken(" he"), she = _tokenizer.SingleToken(" she");
        if ((right, wrong) != (he, she) && (right, wrong) != (she, he))
            throw NotThisVocabulary(row, $"tokens {right} and {wrong} are not \" he\" and \" she\"");
        return Pair(row, [right], [wrong]);
    }

    private PromptPair CountryCapital(CsvRecord row) =>
        Pair(row, [Country(row, "country")], [Country(row, "corrupted_country")]);

    // A country of several tokens is judged by its first.
    private int Country(CsvRecord row, string column)
    {
        var id = row.Integer(column + "_idx");
        RequireFirstToken(row, row[column], id);
        return id;
    }

    private PromptPair Hypernymy(CsvRecord row) => Pair(row, Kinds(row, "answers"), Kinds(row, "corrupted_answers"));

    private int[] Kinds(CsvRecord row, string column)
    {
        var words = PythonList.Strings(row[column]);
        var ids = PythonList.Integers(row[column + "_idx"]);
        if (words is null || ids is null || words.Length != ids.Length)
            throw new GradpathException(
                $"{row.Where}: {column} and {column}_idx must be lists of the same length, such as ['bird', 'birds'] and [6512, 10087].");
        for (var i = 0; i < ids.Length; i++)
            RequireFirstToken(row, words[i], ids[i]);
        return ids;
    }

    private void RequireFirstToken(CsvRecord row, string word, int id)
    {
        if (_tokenizer.Encode(" " + word)[0] != id)
            throw NotThisVocabulary(row, $"{Quoted.Text(word)} does not begin with token {id}");
    }

    private static GradpathException NotThisVocabulary(CsvRecord row, string difference) => GradpathException.Worded(
        $"{row.Where}: {OtherVocabulary}: {difference} there. Use a GPT-2 model, or {Terms.GeneratedPrompts}.");
}
