namespace Gradpath.Host.Sweeps.Plan;

/// <summary>A key of a mapping with its value.</summary>
/// <param name="Key">The key.</param>
/// <param name="Line">Where the key stands, from 1.</param>
/// <param name="Value">The value.</param>
internal sealed record PlanEntry(string Key, int Line, PlanNode Value);
