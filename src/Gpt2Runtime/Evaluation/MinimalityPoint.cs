namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>How much one node of a circuit matters where it matters most.</summary>
/// <param name="Node">Row of the node v.</param>
/// <param name="Set">The set K, without v, where the difference is largest.</param>
/// <param name="Without">F(C minus K).</param>
/// <param name="WithoutBoth">F(C minus (K + v)).</param>
public sealed record MinimalityPoint(int Node, NodeSet Set, double Without, double WithoutBoth)
{
    /// <summary>|F(C minus (K + v)) - F(C minus K)|: 0 where the node is not needed.</summary>
    public double Difference => Math.Abs(WithoutBoth - Without);
}
