namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>How a search is asked for a circuit of a size.</summary>
public enum SearchSizing
{
    /// <summary>It is not: the circuit has the size that it has.</summary>
    None,

    /// <summary>It is told the share of all edges that the circuit lacks.</summary>
    Sparsity,

    /// <summary>It has a threshold, for which <see cref="ThresholdSearch"/> looks: the larger, the smaller the circuit.</summary>
    Threshold,
}
