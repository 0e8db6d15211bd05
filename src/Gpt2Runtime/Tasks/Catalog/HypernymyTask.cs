using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks.Generators;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks.Catalog;

/// <summary>
/// Hypernymy: "There were robins and other" -> " birds" against the corrupted prompt's kind. Corrupted: a member of another kind.
/// </summary>
internal sealed class HypernymyTask : TaskGenerator
{
    private const string Name = "hypernymy";

    private readonly Words _words = WordList.Read(Name, WordListContext.Default.HypernymyWords);
    private readonly IReadOnlyList<Kind> _kinds;

    public HypernymyTask(BpeTokenizer tokenizer)
        : base(Name, tokenizer) =>
        _kinds = Keep(_words.Kinds, kind => AnswersOf(kind).Length > 0, "kinds (those named by a single token)", needed: 2);

    /// <summary>The row of <see cref="TaskCatalog"/>.</summary>
    public static CircuitTask Row { get; } = new(
        Name,
        "Hypernymy: the words for the kind that a named thing is a member of.",
        BuiltInMetrics.ProbabilityDifference,
        ["clean", "corrupted", "answers", "answers_idx", "corrupted_answers", "corrupted_answers_idx"],
        new TaskExample(
            "oaks and other", "violins and other", "trees, plants", "instruments"),
        tokenizer => new HypernymyTask(tokenizer),
        Read)
    {
        Difference = "member",
    };

    public override PromptDraft Draw(SplitMix64 random)
    {
        var template = random.Below(_words.Templates.Length);
        var (clean, corrupted) = random.PickTwo(_kinds);
        var member = random.Pick(clean.Members);
        return new PromptDraft(
            _words.Templates[template].Replace("{member}", member, StringComparison.Ordinal),
            _words.Templates[template].Replace("{member}", random.Pick(corrupted.Members), StringComparison.Ordinal),
            AnswersOf(clean),
            AnswersOf(corrupted),
            $"template={template};member={member}");
    }

    private int[] AnswersOf(Kind kind) =>
        [.. kind.Answers.Select(answer => Tokenizer.SingleToken(" " + answer)).OfType<int>()];

    private static Func<CsvRecord, PromptPair> Read(CsvTaskReader file)
    {
        return row => file.Pair(row, Kinds(row, "answers"), Kinds(row, "corrupted_answers"));

        int[] Kinds(CsvRecord row, string column)
        {
            string[]? words = PythonList.Strings(row[column]);
            int[]? ids = PythonList.Integers(row[column + "_idx"]);
            if (words is null || ids is null || words.Length != ids.Length)
            {
                throw new GradpathException(
                    $"{row.Where}: {column} and {column}_idx must be lists of the same length, "
                    + "such as ['bird', 'birds'] and [6512, 10087].");
            }
            for (int i = 0; i < ids.Length; i++) file.RequireFirstToken(row, words[i], ids[i]);
            return ids;
        }
    }

    internal sealed record Words(string[] Templates, Kind[] Kinds);

    internal sealed record Kind(string[] Answers, string[] Members);
}
