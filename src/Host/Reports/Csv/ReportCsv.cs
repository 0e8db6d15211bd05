using System.Globalization;
using CsvHelper;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Drawing;
using Gradpath.Host.Reports.Pages;

namespace Gradpath.Host.Reports.Csv;

/// <summary>
/// Reads the CSV files that a report takes: embedding paths as <see cref="EmbeddingPathCsv"/> writes them, faithfulness curves, and
/// training. Columns are found by their names, in any order; others are ignored.
/// </summary>
internal static class ReportCsv
{
    private static readonly CsvReaderOptions s_options = new()
    {
        TrackLineNumbers = true,
        MalformedData = CsvMalformedDataHandling.Throw,
        FieldCountMismatch = CsvFieldCountHandling.Throw,
    };

    /// <summary>
    /// Embedding paths by method: columns method, item, step, metric, gradient_norm, output_distance, distance_from_clean and
    /// distance_from_corrupted, and start where the file has it.
    /// </summary>
    /// <exception cref="GradpathException">The file cannot be read, a column is missing or a value is no number.</exception>
    public static IReadOnlyDictionary<string, List<EmbeddingPathPoint>> ReadEmbeddingPaths(string path) => Read(
        path,
        ["method", "item", "step", "metric", "gradient_norm", "output_distance", "distance_from_clean", "distance_from_corrupted"],
        row => new EmbeddingPathPoint(
            row.Integer("item"), row.Integer("step"), row.Number("metric"), row.Number("gradient_norm"), row.Number("output_distance"),
            row.Number("distance_from_clean"), row.Number("distance_from_corrupted"), row.Start()));

    /// <summary>
    /// Curves by method: columns method, fraction, edges, edges_after_prune, faithfulness and, where there is an interval, low and high. Of
    /// a file that holds both rankings, as <see cref="CurveCsv"/> writes it, the curves by absolute score are taken.
    /// </summary>
    /// <exception cref="GradpathException">The file cannot be read, a column is missing or a value is no number.</exception>
    public static IReadOnlyDictionary<string, List<CurvePoint>> ReadCurves(string path) => Read(
        path,
        ["method", "fraction", "edges", "edges_after_prune", "faithfulness"],
        row => new CurvePoint(
            row.Number("fraction"), row.Integer("edges"), row.Integer("edges_after_prune"), row.Number("faithfulness"),
            row.OptionalNumber("low"), row.OptionalNumber("high")),
        row => row.OptionalText("ranking") != CurveCsv.ByScore);

    /// <summary>Training by method, as <see cref="TrainingCsv"/> writes it.</summary>
    /// <exception cref="GradpathException">The file cannot be read, a column is missing or a value is no number.</exception>
    public static IReadOnlyDictionary<string, List<EdgePruningStep>> ReadTraining(string path) => Read(
        path,
        TrainingCsv.Columns,
        row => new EdgePruningStep(
            row.Integer("step"), row.Number("kl"), row.Number("edge_loss"), row.Number("node_loss"), row.Number("edge_target"), row.Number(
                "edge_sparsity"),
            row.Number("node_target"), row.Number("node_sparsity")));

    private static Dictionary<string, List<T>> Read<T>(string path, string[] required, Func<Row, T> parse, Func<Row, bool>? takes = null)
    {
        if (Directory.Exists(path)) throw new GradpathException($"{path}: is a directory; a CSV file is expected.");
        UnreadableFile.Require(path);
        Dictionary<string, List<T>> byMethod = new(StringComparer.Ordinal);
        try
        {
            using CsvReader reader = CsvReader.Create(FileText.ToUtf8(path, FileBytes.Read(path)).ToArray(), s_options);
            Dictionary<string, int> columns = new(StringComparer.Ordinal);
            while (reader.Read())
            {
                if (columns.Count == 0) columns = Columns(reader, path, required);
                Row row = new(path, reader, columns);
                if (takes?.Invoke(row) == false) continue;
                if (!byMethod.TryGetValue(row.Text("method"), out List<T>? points)) byMethod[row.Text("method")] = points = [];
                points.Add(parse(row));
            }
        }
        catch (CsvFormatException e)
        {
            throw new GradpathException($"{path}, line {e.LineNumber}: not valid CSV: {e.Message}", e);
        }
        return byMethod.Count > 0 ? byMethod : throw new GradpathException($"{path}: holds no record.");
    }

    private static Dictionary<string, int> Columns(CsvReader reader, string path, string[] required)
    {
        Dictionary<string, int> columns = new(StringComparer.Ordinal);
        for (int i = 0; i < reader.Headers.Count; i++) columns.TryAdd(reader.Headers[i], i);
        return required.FirstOrDefault(c => !columns.ContainsKey(c)) is { } missing
            ? throw new GradpathException($"{path}: the column {missing} is missing; needed are {string.Join(", ", required)}.")
            : columns;
    }

    private sealed class Row(string path, CsvReader reader, Dictionary<string, int> columns)
    {
        public string Text(string column) => reader.GetString(columns[column]);

        public string? OptionalText(string column) => columns.ContainsKey(column) ? Text(column) : null;

        public int Integer(string column) => int.TryParse(Text(column), NumberStyles.None, CultureInfo.InvariantCulture, out int value)
            ? value : throw Wrong(column, "a whole number from 0");

        public double Number(string column) =>
            double.TryParse(Text(column), NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value)
            ? value : throw Wrong(column, "a finite number");

        public double? OptionalNumber(string column) => columns.ContainsKey(column) && Text(column).Length > 0 ? Number(column) : null;

        // Files of before 0.3.0 lack it.
        public EmbeddingPathStart? Start() => OptionalText("start") switch
        {
            null or "" => null,
            "clean" => EmbeddingPathStart.Clean,
            "corrupted" => EmbeddingPathStart.Corrupted,
            _ => throw Wrong("start", "clean or corrupted"),
        };

        private GradpathException Wrong(string column, string needed) =>
            new(string.Create(CultureInfo.InvariantCulture,
                $"{path}, line {reader.LineNumber}: {column} is {Quoted.Text(Text(column))}; {needed} is needed."));
    }
}
