using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>
/// The size that a circuit was asked to have, by which circuits of several methods are compared. Scores are cut at a share of the edges or
/// at a number of them; searches go for a sparsity, or have none to go for.
/// </summary>
/// <param name="Sparsity">Share of the edges that the circuit lacks.</param>
/// <param name="Edges">Number of its edges.</param>
internal sealed record CircuitSize(double? Sparsity, int? Edges) : IComparable<CircuitSize>
{
    private const string SparsityOption = "sparsity";

    // 1 - 0.05 and 0.95 are not the same number.
    private const int Digits = 10;

    /// <summary>The size in words.</summary>
    public string Label => (Sparsity, Edges) switch
    {
        ({ } sparsity, _) => $"{Percent(1 - sparsity)} of the edges",
        (_, { } edges) => Sizes.Of(edges, "edge"),
        _ => "the size that each search found",
    };

    /// <summary>Where it stands on an axis of shares or numbers of edges; null where nothing was asked for.</summary>
    public double? Place => Sparsity is { } s ? (s < 1 ? 1 - s : null) : Edges > 0 ? Edges : null;

    /// <summary>The size of a row.</summary>
    /// <param name="unit">Its unit.</param>
    /// <param name="row">The row.</param>
    public static CircuitSize Of(SweepUnit unit, UnitRow row) =>
        row.Fraction is { } fraction ? new CircuitSize(Math.Round(1 - fraction, Digits), null)
        : row.EdgesAsked is { } edges ? new CircuitSize(null, edges)
        : OfSearch(unit);

    /// <summary>The sparsity that a search goes for; one without any number where it goes for none.</summary>
    /// <param name="unit">The unit.</param>
    public static CircuitSize OfSearch(SweepUnit unit)
    {
        string? given = unit.Method.Options.FirstOrDefault(o => o.Option == SparsityOption).Value;
        if (double.TryParse(given, NumberStyles.Float, CultureInfo.InvariantCulture, out double sparsity)
            || (unit.Identity["options"] is JsonObject options && options[SparsityOption] is JsonValue value
                && value.GetValueKind() == JsonValueKind.Number && value.TryGetValue(out sparsity)))
            return new CircuitSize(Math.Round(sparsity, Digits), null);
        return new CircuitSize(null, null);
    }

    /// <summary>What grids call a unit's method: without the sparsity, where that is the size.</summary>
    /// <param name="unit">The unit.</param>
    public string Method(SweepUnit unit) => Sparsity is null || unit.Method.Verb == "score" ? unit.Method.Label
        : string.Join(' ', unit.Method.Options.Where(o => o.Option != SparsityOption).Select(o => $"{o.Option}={o.Value}")
            .Prepend(unit.Method.Name));

    /// <summary>Shares of the edges first, then numbers, each from small to large, and last what has neither.</summary>
    /// <inheritdoc />
    public int CompareTo(CircuitSize? other)
    {
        if (other is null) return 1;
        int kind = Kind.CompareTo(other.Kind);
        if (kind != 0) return kind;
        int sparsity = Nullable.Compare(other.Sparsity, Sparsity);
        return sparsity != 0 ? sparsity : Nullable.Compare(Edges, other.Edges);
    }

    private int Kind => Sparsity is not null ? 0 : Edges is not null ? 1 : 2;

    /// <summary>A share in percent, with the digits that it has.</summary>
    /// <param name="share">The share.</param>
    public static string Percent(double share) => (100 * share).ToString("0.######", CultureInfo.InvariantCulture) + " %";
}
