using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Host.Reports;

namespace Gradpath.Host.Sweeps.Units;

/// <summary>
/// Results of units as JSON. What was not measured has no key; what was measured and is no number is null. Reading gives what was written,
/// bit for bit.
/// </summary>
internal static class UnitResultJson
{
    /// <summary>What helps where a unit is damaged: the end of a sentence.</summary>
    public const string Advice = "the next sweep into this folder computes the unit again";

    /// <summary>A result as JSON.</summary>
    /// <param name="result">The result.</param>
    public static JsonObject ToJson(UnitResult result)
    {
        JsonObject json = new()
        {
            ["key"] = result.Key,
            ["graph_edges"] = result.GraphEdges,
            ["train_pairs"] = result.TrainPairs,
            ["judge_pairs"] = result.JudgePairs,
        };
        Add(json, "cpr", result.Cpr);
        Add(json, "cmd", result.Cmd);
        Add(json, "spearman", result.Spearman);
        Add(json, "passes", result.Passes);
        Add(json, "seconds", result.Seconds);
        Add(json, "judge_seconds", result.JudgeSeconds);
        Add(json, "full_metric", result.FullMetric);
        Add(json, "empty_metric", result.EmptyMetric);
        json["rows"] = new JsonArray([.. result.Rows.Select(ToJson)]);
        json["provenance"] = result.Provenance.DeepClone();
        json["files"] = new JsonObject(result.Files.Select(f => KeyValuePair.Create(f.End, (JsonNode?)f.Sum)));
        return json;
    }

    /// <summary>Reads a result.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="GradpathException">It cannot be read or is damaged; the message names the place and says what helps.</exception>
    public static UnitResult Read(string path) => Parse(FileBytes.Read(path).Span, path);

    /// <summary>Reads a result from text.</summary>
    /// <param name="text">The text in UTF-8.</param>
    /// <param name="path">The file that it is from, for messages.</param>
    /// <exception cref="GradpathException">It is damaged; the message names the place and says what helps.</exception>
    public static UnitResult Parse(ReadOnlySpan<byte> text, string path) =>
        StrictJson.ReadSealed(text, path, Advice, Result);

    private static JsonObject ToJson(UnitRow row)
    {
        JsonObject json = new() { ["kind"] = row.Kind, ["judged_on"] = row.JudgedOn };
        Add(json, "fraction", row.Fraction);
        if (row.EdgesAsked is { } asked) json["edges_asked"] = asked;
        json["edges"] = row.Edges;
        Add(json, "sparsity", row.Sparsity);
        Add(json, "faithfulness", row.Faithfulness);
        Add(json, "faithfulness_low", row.FaithfulnessLow);
        Add(json, "faithfulness_high", row.FaithfulnessHigh);
        Add(json, "metric", row.Metric);
        Add(json, "kl", row.Kl);
        Add(json, "accuracy", row.Accuracy);
        Add(json, "exact_match", row.ExactMatch);
        Add(json, "precision", row.Precision);
        Add(json, "recall", row.Recall);
        Add(json, "jaccard", row.Jaccard);
        return json;
    }

    private static UnitResult Result(StrictJson json) => new()
    {
        Key = json.Text("key"),
        GraphEdges = json.Count("graph_edges"),
        TrainPairs = json.Count("train_pairs"),
        JudgePairs = json.Count("judge_pairs"),
        Cpr = json.NumberIfAny("cpr"),
        Cmd = json.NumberIfAny("cmd"),
        Spearman = json.NumberIfAny("spearman"),
        Passes = json.Number("passes"),
        Seconds = json.Number("seconds"),
        JudgeSeconds = json.Number("judge_seconds"),
        FullMetric = json.NumberIfAny("full_metric"),
        EmptyMetric = json.NumberIfAny("empty_metric"),
        Rows = json.Objects("rows", Row),
        Provenance = json.Free("provenance"),
        Files = json.Texts("files"),
    };

    private static UnitRow Row(StrictJson json) => new()
    {
        Kind = json.Text("kind"),
        JudgedOn = json.Text("judged_on"),
        Fraction = json.NumberIfAny("fraction"),
        EdgesAsked = json.CountIfAny("edges_asked"),
        Edges = json.Count("edges"),
        Sparsity = json.Number("sparsity"),
        Faithfulness = json.NumberIfAny("faithfulness"),
        FaithfulnessLow = json.NumberIfAny("faithfulness_low"),
        FaithfulnessHigh = json.NumberIfAny("faithfulness_high"),
        Metric = json.NumberIfAny("metric"),
        Kl = json.NumberIfAny("kl"),
        Accuracy = json.NumberIfAny("accuracy"),
        ExactMatch = json.NumberIfAny("exact_match"),
        Precision = json.NumberIfAny("precision"),
        Recall = json.NumberIfAny("recall"),
        Jaccard = json.NumberIfAny("jaccard"),
    };

    private static void Add(JsonObject json, string key, double? value)
    {
        if (value is { } number) json[key] = ResultJson.Number(number);
    }
}
