using System.Globalization;
using System.Text;
using CsvHelper;

namespace Gradpath.Gpt2Runtime.Graph.Exchange;

/// <summary>
/// Edges as CSV: <c>edge</c>, <c>score</c> where there are scores and <c>in_circuit</c> where a circuit is marked, a line per edge of the
/// graph. Read are files with <c>edge</c> and any other columns; a score that is empty or NaN is of an edge that was not scored.
/// </summary>
internal static class EdgeCsv
{
    private const string Edge = "edge", Score = "score", IsIn = "in_circuit";

    private static readonly CsvReaderOptions s_options = new()
    {
        TrackLineNumbers = true,
        MalformedData = CsvMalformedDataHandling.Throw,
        FieldCountMismatch = CsvFieldCountHandling.Throw,
    };

    /// <summary>Reads scores or a circuit.</summary>
    /// <param name="path">The file.</param>
    /// <param name="shape">The model's shape, where the file does not have all edges.</param>
    /// <exception cref="GradpathException">The file cannot be read, or a line is no edge.</exception>
    public static EdgeScores Read(string path, GraphShape shape)
    {
        List<EdgeEntry> entries = [];
        Dictionary<string, int> columns = new(StringComparer.Ordinal);
        try
        {
            using CsvReader reader = CsvReader.Create(FileText.ToUtf8(path, FileBytes.Read(path)).ToArray(), s_options);
            while (reader.Read())
            {
                if (columns.Count == 0) columns = Columns(reader);
                Require(path, columns);
                entries.Add(Entry(path, reader, columns));
            }
            if (columns.Count == 0) Require(path, columns = Columns(reader));
        }
        catch (CsvFormatException e)
        {
            throw new GradpathException($"{path}, line {e.LineNumber}: not valid CSV: {e.Message}", e);
        }
        return EdgeList.Build(path, shape, entries, columns.ContainsKey(Score));
    }

    /// <summary>Writes scores or a circuit; a file that exists is replaced, and only by a whole one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="scores">What to write.</param>
    public static void Write(string path, EdgeScores scores) => AtomicFile.Write(path, stream =>
    {
        bool scored = !GraphContent.IsCircuitAlone(scores), circuit = !scores.EdgesInGraph.IsEmpty;
        using StreamWriter csv = new(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        csv.WriteLine(Edge + (scored ? $",{Score}" : "") + (circuit ? $",{IsIn}" : ""));
        foreach ((int row, int column) in scores.Graph.Edges)
        {
            csv.Write(scores.Graph.EdgeName(row, column));
            if (scored) csv.Write(string.Create(CultureInfo.InvariantCulture, $",{scores[row, column]:R}"));
            if (circuit) csv.Write(scores.EdgesInGraph[scores.IndexOf(row, column)] ? ",true" : ",false");
            csv.WriteLine();
        }
    });

    private static Dictionary<string, int> Columns(CsvReader reader)
    {
        Dictionary<string, int> columns = new(StringComparer.Ordinal);
        for (int i = 0; i < reader.Headers.Count; i++) columns.TryAdd(reader.Headers[i], i);
        return columns;
    }

    private static void Require(string path, Dictionary<string, int> columns)
    {
        if (!columns.ContainsKey(Edge))
        {
            throw new GradpathException($"{path}: the column {Edge} is missing; needed are {Edge}, and {Score} or {IsIn} where the file "
                + "has more than the edges of a circuit.");
        }
    }

    private static EdgeEntry Entry(string path, CsvReader reader, Dictionary<string, int> columns)
    {
        string where = string.Create(CultureInfo.InvariantCulture, $"{path}, line {reader.LineNumber}");
        string? Text(string column) => columns.TryGetValue(column, out int index) ? reader.GetString(index).Trim() : null;
        GradpathException Wrong(string column, string needed) =>
            new($"{where}: {column} is {Quoted.Text(Text(column))}; {needed} is needed.");
        float? score = Text(Score) switch
        {
            null or "" => null,
            string text when text.Equals("nan", StringComparison.OrdinalIgnoreCase) => null,
            string text => float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float value) && float.IsFinite(value)
                ? value : throw Wrong(Score, "a number, or nothing or NaN for an edge that was not scored,"),
        };
        bool? isIn = Text(IsIn)?.ToLowerInvariant() switch
        {
            null => null,
            "true" or "1" => true,
            "false" or "0" => false,
            _ => throw Wrong(IsIn, "true or false"),
        };
        return new EdgeEntry(where, Text(Edge)!, score, isIn);
    }
}
