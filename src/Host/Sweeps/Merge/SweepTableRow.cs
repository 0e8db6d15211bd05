using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>A row of the table: what was measured of a unit at one size.</summary>
/// <param name="Unit">The unit.</param>
/// <param name="Result">Its result.</param>
/// <param name="Row">What was measured; null for the only row of a unit of which nothing was.</param>
internal sealed record SweepTableRow(SweepUnit Unit, UnitResult Result, UnitRow? Row)
{
    // 1 - 0.95 is not 0.05.
    private const int Digits = 10;

    /// <summary>When the result was made.</summary>
    public DateTime? Created => Made("created") is { } text && DateTime.TryParse(
        text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out DateTime time)
        ? time
        : null;

    /// <summary>Whether the row's prompts are those of the unit itself: full and ablated model were judged on them alone.</summary>
    public bool IsOwn => Row is null || Row.Kind != "transfer";

    /// <summary>The share of all edges that was asked for: of a curve or a size, or by a search's sparsity; null where a number was, or
    /// nothing.</summary>
    public double? Fraction => Row is null ? null : Row.Fraction ?? (Sought is { } sparsity ? Math.Round(1 - sparsity, Digits) : null);

    /// <summary>The number of edges that was asked for; null where nothing was.</summary>
    public int? EdgesAsked => Row is null ? null
        : Row.EdgesAsked ?? (Sought is { } sparsity ? EdgePruning.CircuitSize(Result.GraphEdges, sparsity) : null);

    // The sparsity that a search went for.
    private double? Sought => Unit.Method.Verb == "score" ? null : CircuitSize.OfSearch(Unit).Sparsity;

    /// <summary>A text of the result's provenance.</summary>
    /// <param name="name">Its name there.</param>
    public string? Made(string name) => Text(Result.Provenance, name);

    /// <summary>A text of what identifies the unit.</summary>
    /// <param name="name">Its name there.</param>
    public string? Identity(string name) => Text(Unit.Identity, name);

    /// <summary>The value that the unit's method has for an option; null where it is not given.</summary>
    /// <param name="option">The option, without dashes.</param>
    public string? Option(string option) => Unit.Method.Options.FirstOrDefault(o => o.Option == option).Value;

    private static string? Text(JsonObject json, string name) => json[name] is not { } value ? null
        : value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>()
        : value.ToJsonString();
}
