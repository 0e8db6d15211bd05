using System.Globalization;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>One record of a CSV file, by column name.</summary>
internal sealed class CsvRecord(string path, long line, Dictionary<string, int> columns, string[] fields)
{
    /// <summary>File and line, for messages.</summary>
    public string Where => string.Create(CultureInfo.InvariantCulture, $"{path}, line {line}");

    public string this[string column] => fields[columns[column]];

    public string? Optional(string column) => columns.TryGetValue(column, out var index) ? fields[index] : null;

    public int Integer(string column) =>
        TokenIdText.Parse(this[column]) is { } value and >= 0
            ? value
            : throw new GradpathException($"{Where}: {column} is {Quoted.Text(this[column])}; an integer from 0 is needed.");
}
