namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>What tests and measurements change in a run; no part of any result that is kept.</summary>
internal sealed record ScoringHooks
{
    /// <summary>Changes nothing.</summary>
    public static ScoringHooks None { get; } = new();

    /// <summary>Run every position, also those before the first difference of a pair: to compare with and to measure against.</summary>
    public bool WholePrompts { get; init; }

    /// <summary>
    /// Exact patching: score only the edges into these sublayers, and no nodes, to time a part of the whole. Null for everything.
    /// </summary>
    public Func<int, bool>? OnlySublayers { get; init; }
}
