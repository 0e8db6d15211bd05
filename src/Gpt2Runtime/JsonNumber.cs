using System.Text.Json.Nodes;

namespace Gradpath.Gpt2Runtime;

/// <summary>Numbers in JSON, which has no NaN and no infinity.</summary>
internal static class JsonNumber
{
    /// <summary>A number, or null where it is not a finite one.</summary>
    /// <param name="value">The number.</param>
    /// <returns>The node.</returns>
    public static JsonNode? Of(double value) => double.IsFinite(value) ? JsonValue.Create(value) : null;

    /// <summary>Numbers, with null where one is not finite.</summary>
    /// <param name="values">The numbers.</param>
    /// <returns>The array.</returns>
    public static JsonArray Array(IEnumerable<double> values) => new([.. values.Select(Of)]);
}
