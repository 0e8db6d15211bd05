namespace Gradpath.Host.Sweeps.Merge;

/// <summary>Where a measure's best values lie.</summary>
internal enum BestValue
{
    /// <summary>Nowhere: no cell is marked as the best.</summary>
    None = 0,

    /// <summary>More is better.</summary>
    Largest,

    /// <summary>Less is better.</summary>
    Smallest,

    /// <summary>The nearer to 1 the better, from both sides.</summary>
    NearestToOne,
}
