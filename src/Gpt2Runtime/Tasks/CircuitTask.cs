using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks.Generators;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>
/// A task that circuits are looked for in: one row of <see cref="TaskCatalog"/>. Everything that lists or describes tasks, makes their
/// prompts or reads them asks the row.
/// </summary>
public sealed class CircuitTask
{
    /// <summary>Makes a row.</summary>
    /// <param name="name">The canonical name; the task's word list and its folder of files are called so too.</param>
    /// <param name="description">One sentence for people.</param>
    /// <param name="metric">The metric that it is judged by unless the user says otherwise.</param>
    /// <param name="columns">The columns that a CSV file of the task must have.</param>
    /// <param name="example">A pair of prompts to show.</param>
    /// <param name="generator">Makes what draws prompts for a vocabulary.</param>
    /// <param name="reader">Makes what turns records of an open CSV file into pairs.</param>
    internal CircuitTask(
        string name,
        string description,
        Metric metric,
        IReadOnlyList<string> columns,
        TaskExample example,
        Func<BpeTokenizer, TaskGenerator> generator,
        Func<CsvTaskReader, Func<CsvRecord, PromptPair>> reader)
    {
        Name = name;
        Description = description;
        Metric = metric;
        Columns = columns;
        Example = example;
        Generator = generator;
        Reader = reader;
    }

    /// <summary>Its name in options and files.</summary>
    public string Name { get; }

    /// <summary>What prose calls it: the beginning of <see cref="Description"/>.</summary>
    public string Title => Description.Split(':')[0];

    /// <summary>One sentence for people.</summary>
    public string Description { get; }

    /// <summary>The metric that it is judged by unless the user says otherwise.</summary>
    public Metric Metric { get; }

    /// <summary>The columns that a CSV file of the task must have, named as in the EAP-IG library's files.</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <summary>A pair of prompts that shows what the task is.</summary>
    public TaskExample Example { get; }

    /// <summary>
    /// The column of a second, harder corruption that its CSV files may have; null for none. See
    /// <see cref="PromptOptions.HardCorruption"/>.
    /// </summary>
    public string? HardCorruptionColumn { get; init; }

    /// <summary>What the span is called in which clean and corrupted prompts differ.</summary>
    internal string Difference { get; init; } = "difference";

    /// <summary>Columns that older files call something else: the old name and the one in <see cref="Columns"/>.</summary>
    internal IReadOnlyList<(string Old, string New)> OldColumns { get; init; } = [];

    /// <summary>Other CSV files of the task, told by their columns.</summary>
    internal IReadOnlyList<TaskVariant> Variants { get; init; } = [];

    /// <summary>
    /// Makes what draws prompts for a vocabulary. It throws a <see cref="GradpathException"/> where the vocabulary lacks the task's tokens.
    /// </summary>
    internal Func<BpeTokenizer, TaskGenerator> Generator { get; }

    /// <summary>
    /// Makes what turns the records of an open CSV file into pairs. What it makes throws a <see cref="GradpathException"/> that names the
    /// record.
    /// </summary>
    internal Func<CsvTaskReader, Func<CsvRecord, PromptPair>> Reader { get; }

    /// <summary>The name.</summary>
    /// <returns><see cref="Name"/>.</returns>
    public override string ToString() => Name;
}
