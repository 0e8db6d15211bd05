using System.Globalization;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>One record of a CSV file, by column name.</summary>
internal sealed class CsvRecord(string path, long line, Dictionary<string, int> columns, string[] fields)
{
    /// <summary>File and line, for messages.</summary>
    public string Where => string.Create(CultureInfo.InvariantCulture, $"{path}, line {line}");

    /// <summary>The names of the columns in the order of the file.</summary>
    public IEnumerable<string> Columns => columns.OrderBy(column => column.Value).Select(column => column.Key);

    /// <summary>A field.</summary>
    /// <exception cref="GradpathException">The file has no such column, or the record holds nothing of it.</exception>
    public string this[string column] => Optional(column)
        ?? throw new GradpathException($"{Where}: the column {column} is missing; the file has {CsvRecords.Shown(columns.Keys)}.");

    public string? Optional(string column) => columns.TryGetValue(column, out var index) ? fields[index] : null;

    public int Integer(string column) =>
        TokenIdText.Parse(this[column]) is { } value and >= 0
            ? value
            : throw new GradpathException($"{Where}: {column} is {Quoted.Text(this[column])}; an integer from 0 is needed.");
}
