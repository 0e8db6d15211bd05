using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Evaluation;

namespace Gradpath.Host.Reports.Csv;

/// <summary>A curve with its name, to be drawn.</summary>
internal sealed record NamedCurve(string Name, SparsityCurve Curve)
{
    /// <summary>The settings of the method whose scores were cut; null where they are not known.</summary>
    public JsonObject? Options { get; init; }
}
