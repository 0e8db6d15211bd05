namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>An edge of a circuit in the test of minimality.</summary>
/// <param name="Row">Its writer.</param>
/// <param name="Column">Its reader.</param>
/// <param name="Change">Mean over prompt pairs of |metric of the circuit - metric of the circuit without the edge|.</param>
/// <param name="PValue">Its rank among the changes that random edges make in inflated circuits.</param>
/// <param name="BenjaminiHochberg">The p-value adjusted for all edges tested, by Benjamini and Hochberg.</param>
/// <param name="Holm">The p-value adjusted for all edges tested, by Holm.</param>
/// <param name="Needed">Whether the null hypothesis is rejected for the edge, by the correction that was asked for.</param>
public sealed record CircuitTestEdge(
    int Row, int Column, double Change, double PValue, double BenjaminiHochberg, double Holm, bool Needed);
