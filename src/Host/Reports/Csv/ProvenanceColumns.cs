using System.Globalization;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Reports.Csv;

/// <summary>The last columns of tables that are gathered from many runs: what a row was computed with.</summary>
internal static class ProvenanceColumns
{
    /// <summary>The heads, with commas between.</summary>
    public const string Heads = "task,model,model_hash,data,data_hash,items,metric_name,ablation,seed,options,version";

    /// <summary>The cells under them, with commas between.</summary>
    /// <param name="run">The run that computed the row.</param>
    /// <param name="options">The settings of the row's method.</param>
    public static string Cells(Provenance run, JsonObject? options) => string.Join(',', new[]
    {
        run.Task, run.Model, run.ModelHash, run.Data, run.DataHash, run.Items?.ToString(CultureInfo.InvariantCulture), run.Metric,
        run.Ablation, run.Seed?.ToString(CultureInfo.InvariantCulture), Settings(options), run.Version,
    }.Select(Cell));

    /// <summary>A text as a cell, in quotation marks where it would be more than one.</summary>
    public static string Cell(string? text) => text is null ? ""
        : text.AsSpan().IndexOfAny(",\"\n\r") < 0 ? text
        : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static string Settings(JsonObject? options) =>
        string.Join(' ', (options ?? []).Where(o => o.Value is not null).Select(o => $"{o.Key}={o.Value}"));
}
