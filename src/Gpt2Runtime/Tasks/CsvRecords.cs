using CsvHelper;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>Reads CSV strictly: commas, quotes that match, as many fields as the header in every record, spaces kept.</summary>
internal static class CsvRecords
{
    private static readonly CsvReaderOptions Options = new()
    {
        Separator = ',',
        TrimWhitespace = false,
        DetectSeparatorHint = false,
        TrackLineNumbers = true,
        MalformedData = CsvMalformedDataHandling.Throw,
        FieldCountMismatch = CsvFieldCountHandling.Throw,
    };

    /// <summary>The records of a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="required">Columns that it must have.</param>
    /// <param name="otherNames">Columns that older files call something else: the old name to the new one.</param>
    /// <exception cref="GradpathException">A column is missing, or a record is malformed.</exception>
    public static IEnumerable<CsvRecord> Read(PromptFile file, IReadOnlyList<string> required, params (string Old, string New)[] otherNames)
    {
        using var reader = CsvReader.Create(file.Text.ToArray(), Options);
        Dictionary<string, int>? columns = null;
        while (Advance(reader, file.Path, () => columns ??= Columns(reader, file.Path, required, otherNames)))
        {
            var fields = new string[reader.FieldCount];
            for (var i = 0; i < fields.Length; i++)
                fields[i] = reader.GetString(i);
            yield return new CsvRecord(file.Path, reader.LineNumber, columns!, fields);
        }
    }

    /// <summary>The columns that a file has; none where its first line is no CSV.</summary>
    /// <param name="file">The file.</param>
    public static IReadOnlyCollection<string> Header(PromptFile file)
    {
        try
        {
            using var reader = CsvReader.Create(file.Text.ToArray(), Options);
            return [.. Enumerable.Range(0, reader.Headers.Count).Select(i => reader.Headers[i])];
        }
        catch (CsvFormatException)
        {
            return [];
        }
    }

    /// <summary>Columns that a file has, for messages.</summary>
    public static string Shown(IReadOnlyCollection<string> columns)
    {
        const int Most = 12;
        if (columns.Count == 0)
            return "none";
        var names = string.Join(", ", columns.Take(Most).Select(name => Quoted.Text(name)[1..^1]));
        return columns.Count <= Most ? names : $"{names} and {columns.Count - Most} more";
    }

    private static bool Advance(CsvReader reader, string path, Action readHeader)
    {
        try
        {
            readHeader();
            return reader.Read();
        }
        catch (CsvFormatException error)
        {
            throw new GradpathException($"{path}, line {error.LineNumber}: not valid CSV: {error.Message}", error);
        }
    }

    private static Dictionary<string, int> Columns(
        CsvReader reader, string path, IReadOnlyList<string> required, (string Old, string New)[] otherNames)
    {
        var columns = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < reader.Headers.Count; i++)
            columns.TryAdd(reader.Headers[i], i);
        foreach (var (old, current) in otherNames)
        {
            if (columns.TryGetValue(old, out var index))
                columns.TryAdd(current, index);
        }

        foreach (var column in required)
        {
            if (!columns.ContainsKey(column))
            {
                throw new GradpathException(
                    $"{path}: the column {column} is missing. Needed are {string.Join(", ", required)}; the file has "
                        + $"{Shown(columns.Keys)}.");
            }
        }

        return columns;
    }
}
