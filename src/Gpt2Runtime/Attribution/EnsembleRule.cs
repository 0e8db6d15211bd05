namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// What an ensemble makes of the ranks that its members give an edge. A member's rank of an edge is, with E edges in the graph,
/// <c>r = (edges with a smaller |score| + (edges with the same + 1) / 2) / E</c>: above 0, at most 1, 1 for the strongest edge, and the
/// mean of the places for edges that tie.
/// </summary>
public enum EnsembleRule
{
    /// <summary><c>mean-rank</c>: the mean of the members' ranks.</summary>
    MeanRank,

    /// <summary><c>min</c>: the lowest of the members' ranks, so that an edge is strong where all find it strong.</summary>
    Min,

    /// <summary><c>max</c>: the highest of the members' ranks, so that an edge is strong where any finds it strong.</summary>
    Max,

    /// <summary><c>product</c>: the product of the members' ranks.</summary>
    Product,
}
