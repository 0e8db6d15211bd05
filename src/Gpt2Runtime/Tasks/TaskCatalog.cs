using Gradpath.Gpt2Runtime.Metrics;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>What is known about one of the six tasks.</summary>
/// <param name="Name">Its name on the command line and in files.</param>
/// <param name="Description">One sentence for people.</param>
/// <param name="Metric">The metric that it is judged by unless the user says otherwise.</param>
/// <param name="Columns">The columns that a CSV file of the task must have, named as in the EAP-IG library's files.</param>
public sealed record TaskInfo(string Name, string Description, Metric Metric, IReadOnlyList<string> Columns);

/// <summary>The six tasks that Gradpath knows by name.</summary>
public static class TaskCatalog
{
    internal const string Ioi = "ioi";
    internal const string GreaterThan = "greater-than";
    internal const string Sva = "sva";
    internal const string GenderBias = "gender-bias";
    internal const string CountryCapital = "country-capital";
    internal const string Hypernymy = "hypernymy";

    /// <summary>All tasks, in the order in which they are listed.</summary>
    public static IReadOnlyList<TaskInfo> All { get; } =
    [
        new(
            Ioi,
            "Indirect object identification: which of two names was not repeated.",
            BuiltInMetrics.LogitDifference,
            ["clean", "corrupted", "correct_idx", "incorrect_idx"]),
        new(
            GreaterThan,
            "Greater-than: two digits of a year that come after a given year of the same century.",
            BuiltInMetrics.ProbabilityDifference,
            ["clean", "corrupted", "correct_idx"]),
        new(
            Sva,
            "Subject-verb agreement: verbs in the subject's number against verbs in the other.",
            BuiltInMetrics.ProbabilityDifference,
            ["clean", "corrupted", "plural"]),
        new(
            GenderBias,
            "Gender bias: which pronoun follows a profession.",
            BuiltInMetrics.LogitDifference,
            ["clean", "corrupted", "clean_answer_idx", "corrupted_answer_idx"]),
        new(
            CountryCapital,
            "Country and capital: the country whose capital is named.",
            BuiltInMetrics.LogitDifference,
            ["clean", "corrupted", "country", "country_idx", "corrupted_country", "corrupted_country_idx"]),
        new(
            Hypernymy,
            "Hypernymy: the words for the kind that a named thing is a member of.",
            BuiltInMetrics.ProbabilityDifference,
            ["clean", "corrupted", "answers", "answers_idx", "corrupted_answers", "corrupted_answers_idx"]),
    ];

    /// <summary>Looks a task up.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The task.</returns>
    /// <exception cref="GradpathException">No such task; lists the names.</exception>
    public static TaskInfo Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return All.FirstOrDefault(task => task.Name == name)
            ?? throw new GradpathException(
                $"There is no task \"{name}\". The tasks are {string.Join(", ", All.Select(task => task.Name))}.");
    }
}
