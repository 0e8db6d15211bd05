using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Reports;

namespace Gradpath.Host.Comparison;

/// <summary>One method at one sparsity. Numbers that do not exist are NaN.</summary>
/// <param name="Method">The method, as <c>--methods</c> calls it.</param>
/// <param name="Asked">Share of the edges that the circuit was to lack.</param>
/// <param name="Settings">What the method alone was given; a row is kept when a resumed run would give the same.</param>
/// <param name="Values">The measures, by the names of <see cref="Columns"/>.</param>
internal sealed record ComparisonRow(string Method, double Asked, JsonObject Settings, IReadOnlyDictionary<string, double> Values)
{
    /// <summary>The measures in the order of the table's columns.</summary>
    public static readonly string[] Columns =
    [
        "sparsity_reached", "edges_selected", "edges", "nodes", "kl", "metric", "metric_full", "accuracy", "exact_match", "faithfulness",
        "faithfulness_low", "faithfulness_high",
        "seconds", "seconds_with_search", "forward_passes", "threshold", "steps", "precision", "recall", "false_positive_rate",
        "auc_of_scores",
    ];

    /// <summary>A measure.</summary>
    public double this[string column] => Values[column];

    /// <summary>The row of a circuit.</summary>
    /// <param name="method">The method.</param>
    /// <param name="asked">The sparsity asked for.</param>
    /// <param name="settings">The method's settings.</param>
    /// <param name="found">The circuit.</param>
    /// <param name="judged">The evaluation of it alone.</param>
    /// <param name="truth">What to judge its edges by; may be null.</param>
    /// <param name="seed">Seed of the interval's draws.</param>
    public static ComparisonRow Of(
        string method, double asked, JsonObject settings, FoundCircuit found, EvaluationResult judged, Circuit? truth, ulong seed)
    {
        Circuit circuit = found.Circuit;
        CircuitOutcome outcome = judged.Circuits[0];
        (double low, double high) = Faithfulness.Interval(judged.Full, outcome, judged.Empty, seed: seed);
        SetOverlap? overlap = truth is null ? null : GroundTruthOverlap.Compare(circuit, truth).Edges;
        double[] values =
        [
            1 - (circuit.EdgeCount / (double)circuit.Graph.EdgeCount), circuit.EdgesBeforePrune, circuit.EdgeCount, circuit.NodeCount,
            outcome.MeanKl, outcome.MeanMetric, judged.Full.MeanMetric,
            outcome.Accuracy, outcome.ExactMatchRate, Faithfulness.Of(judged.Full, outcome, judged.Empty), low, high,
            found.Seconds, found.SecondsWithSearch, found.Passes, found.Threshold, found.Steps > 0 ? found.Steps : double.NaN,
            overlap?.Precision ?? double.NaN, overlap?.Recall ?? double.NaN, truth is null
                ? double.NaN
                : RocPoint.Of(circuit, truth).FalsePositiveRate,
            truth is null || found.Ranking is null ? double.NaN : RocCurve.Of(found.Ranking, truth).Area,
        ];
        return new ComparisonRow(method, asked, settings, Columns.Zip(values).ToDictionary(c => c.First, c => c.Second));
    }

    /// <summary>
    /// For methods that give circuits: the area under the pessimistic staircase through those in the table. NaN for methods that give
    /// scores, whose ROC curve has an area of its own, and without a ground truth.
    /// </summary>
    /// <param name="table">All rows.</param>
    public double AreaOfCircuits(IReadOnlyList<ComparisonRow> table) => double.IsNaN(this["recall"]) || !double.IsNaN(this["auc_of_scores"])
        ? double.NaN
        : RocCurve.StaircaseArea(table.Where(r => r.Method == Method && !double.IsNaN(r["recall"])).Select(r =>
            new RocPoint(r["false_positive_rate"], r["recall"], double.NaN)));

    /// <summary>The row as a state's value.</summary>
    public JsonObject ToJson()
    {
        JsonObject values = [];
        foreach (string column in Columns) values[column] = ResultJson.Number(Values[column]);
        return new JsonObject { ["method"] = Method, ["sparsity"] = Asked, ["settings"] = Settings.DeepClone(), ["values"] = values };
    }

    /// <summary>Reads what <see cref="ToJson"/> gave.</summary>
    /// <returns>The row, or null where it is something else.</returns>
    public static ComparisonRow? FromJson(JsonNode? json)
    {
        if (json is not JsonObject row || row["values"] is not JsonObject values || row["settings"] is not JsonObject settings) return null;
        if (row["method"] is not JsonValue name || !name.TryGetValue(out string? method)) return null;
        if (row["sparsity"] is not JsonValue share || !share.TryGetValue(out double asked)) return null;
        if (asked is not (> 0 and < 1) || !ComparedMethod.IsName(method)) return null;
        Dictionary<string, double> read = [];
        foreach (string column in Columns)
        {
            if (!values.TryGetPropertyValue(column, out JsonNode? value)) return null;
            double number = double.NaN;
            if (value is not null && !(value is JsonValue v && v.TryGetValue(out number) && double.IsFinite(number))) return null;
            if (column is "precision" or "recall" or "false_positive_rate" && number is < 0 or > 1) return null;
            read[column] = number;
        }
        return new ComparisonRow(method, asked, (JsonObject)settings.DeepClone(), read);
    }
}
