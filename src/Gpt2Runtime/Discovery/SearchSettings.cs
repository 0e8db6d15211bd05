namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>The options of <see cref="SearchOptions"/> that a search reads, beside those that all read: ablation and batch size.</summary>
[Flags]
public enum SearchSettings
{
    /// <summary>No other.</summary>
    None = 0,

    /// <summary><see cref="SearchOptions.Metric"/>.</summary>
    Metric = 1,

    /// <summary><see cref="SearchOptions.Seed"/>: the search draws random numbers.</summary>
    Seed = 2,

    /// <summary><see cref="SearchOptions.Scorer"/>: the search starts from scores and cannot do without.</summary>
    Scorer = 4,
}
