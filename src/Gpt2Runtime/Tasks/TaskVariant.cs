namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>CSV files of a task that ask something else and are told by their columns.</summary>
/// <param name="Name">What stands behind the task's name in results.</param>
/// <param name="Columns">The columns that such a file must have.</param>
/// <param name="Reader">Makes what turns records of an open file into pairs, as <see cref="CircuitTask.Reader"/> does.</param>
internal sealed record TaskVariant(string Name, IReadOnlyList<string> Columns, Func<CsvTaskReader, Func<CsvRecord, PromptPair>> Reader);
