namespace Gradpath.Gpt2Runtime.Compilation;

/// <summary>
/// Where a compiled head looks: from each position to the earlier ones whose key fits the query. The head's score is the sum over its
/// <see cref="Matches"/>, and what no match reaches is looked up at the begin token, whose score is <see cref="Begin"/>.
/// </summary>
internal sealed record HeadScores
{
    /// <summary>Pairs of variables with the score of each pair of their values.</summary>
    public IReadOnlyList<(Variable Query, Variable Key, Func<int, int, double> Score)> Matches { get; init; } = [];

    /// <summary>Score of every key by one variable, whatever the query.</summary>
    public (Variable Key, Func<int, double> Score)? Fixed { get; init; }

    /// <summary>Score of the begin token, at position 0.</summary>
    public double Begin { get; init; }

    /// <summary>What a variable at the query's position adds to the begin token's score, per unit of its value; null for nothing.</summary>
    public (Variable Query, double Score)? BeginWhere { get; init; }
}
