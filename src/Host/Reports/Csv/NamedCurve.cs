using Gradpath.Gpt2Runtime.Evaluation;

namespace Gradpath.Host.Reports.Csv;

/// <summary>A curve with its name, to be drawn.</summary>
internal sealed record NamedCurve(string Name, SparsityCurve Curve);
