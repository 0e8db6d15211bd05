namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>One circuit of a curve.</summary>
/// <param name="Fraction">Share of all edges that was asked for.</param>
/// <param name="Edges">Edges selected.</param>
/// <param name="EdgesAfterPrune">Edges that pruning left.</param>
/// <param name="Faithfulness">As <see cref="Evaluation.Faithfulness"/> defines it; NaN where that is undefined.</param>
/// <param name="Low">Lower end of the 95 % bootstrap interval.</param>
/// <param name="High">Upper end of the interval.</param>
public sealed record SparsityPoint(double Fraction, int Edges, int EdgesAfterPrune, double Faithfulness, double Low, double High);
