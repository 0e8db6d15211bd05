namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>How an edge's rank changes from one drawn data set to the next.</summary>
/// <param name="Row">Its writer.</param>
/// <param name="Column">Its reader.</param>
/// <param name="Score">Its mean score over all prompt pairs.</param>
/// <param name="Rank">Its rank by that, from 1.</param>
/// <param name="LowRank">The rank that 2.5 % of the data sets stay below or at.</param>
/// <param name="HighRank">The rank that 97.5 % of the data sets stay below or at.</param>
/// <param name="Inclusion">Per size the share of the data sets in which it is among the strongest.</param>
public sealed record StabilityEdge(
    int Row, int Column, float Score, int Rank, int LowRank, int HighRank, IReadOnlyList<double> Inclusion);
