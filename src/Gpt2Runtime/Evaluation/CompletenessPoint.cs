namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>What knocking out one node set does.</summary>
/// <param name="Set">The set K.</param>
/// <param name="Circuit">F(C minus K).</param>
/// <param name="Model">F(M minus K).</param>
public sealed record CompletenessPoint(NodeSet Set, double Circuit, double Model)
{
    /// <summary>|F(C minus K) - F(M minus K)|: 0 for a complete circuit.</summary>
    public double Difference => Math.Abs(Circuit - Model);
}
