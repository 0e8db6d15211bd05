namespace Gradpath.Gpt2Runtime.Drawing;

/// <summary>One point of a faithfulness curve.</summary>
/// <param name="Fraction">Share of all edges that were selected, above 0.</param>
/// <param name="Edges">Edges selected.</param>
/// <param name="EdgesAfterPrune">Edges left after pruning.</param>
/// <param name="Faithfulness">0 for the corrupted run, 1 for the whole model.</param>
/// <param name="Low">Lower end of the confidence interval, where there is one.</param>
/// <param name="High">Upper end of the confidence interval, where there is one.</param>
internal sealed record CurvePoint(
    double Fraction, int Edges, int EdgesAfterPrune, double Faithfulness, double? Low = null, double? High = null);
