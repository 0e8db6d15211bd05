using System.Diagnostics.CodeAnalysis;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// The table of searches. To add one is to write it and its row here, a reference that its circuits are compared with, and its line in the
/// README's table; tests go over all rows.
/// </summary>
public static class CircuitSearches
{
    /// <summary>ACDC (Conmy et al. 2023). <see cref="AcdcSweep"/> searches with several thresholds at once.</summary>
    public static CircuitSearchOf<AcdcOptions, AcdcResult> Acdc { get; } = new(
        (model, prompts, o, cancellation) => new Acdc(model, prompts, [o.Threshold], o, cancellation))
    {
        Name = "acdc",
        Title = "ACDC",
        Summary = "takes edges away one after the other while the output stays",
        Passes = "part of a forward pass per edge",
        Settings = SearchSettings.Metric,
        Sizing = SearchSizing.Threshold,
    };

    /// <summary>Edge pruning (Bhaskar et al. 2024).</summary>
    public static CircuitSearchOf<EdgePruningOptions, EdgePruningResult> EdgePruning { get; } = new(
        (model, prompts, o, cancellation) => new MaskDraws(model, prompts, o, EdgePruning!, null, cancellation))
    {
        Name = "edge-prune",
        Title = "edge pruning",
        Aliases = ["edge-pruning"],
        Summary = "learns a mask over all edges, to a requested sparsity",
        Passes = "1 forward and 1 backward per step and batch",
        Settings = SearchSettings.Seed,
        Sizing = SearchSizing.Sparsity,
    };

    /// <summary>The hybrid of scores and edge pruning (Gu et al. 2025).</summary>
    public static CircuitSearchOf<HybridPruningOptions, HybridPruningResult> HybridPruning { get; } = new(
        (model, prompts, o, cancellation) => new HybridPruning(model, prompts, o, cancellation))
    {
        Name = "hap",
        Title = "HAP",
        Aliases = ["hybrid-pruning"],
        Summary = "EAP keeps the strongest edges, edge pruning searches among those",
        Passes = "the scores', and those of edge pruning among fewer edges",
        Settings = SearchSettings.Seed | SearchSettings.Scorer,
        Sizing = SearchSizing.Sparsity,
    };

    /// <summary>Path patching (Wang et al. 2022), followed backwards. <see cref="PathPatching"/> measures single effects.</summary>
    public static CircuitSearchOf<PathTracingOptions, PathTracingResult> PathTracing { get; } = new(
        (model, prompts, o, _) => new PathTracing(model, prompts, o))
    {
        Name = "path-patch",
        Title = "path patching",
        Aliases = ["path-patching", "path-tracing"],
        Summary = "effects of senders through direct paths, followed backwards round by round",
        Passes = "parts of 2 forward passes per sender and kind of input, in each round",
        Settings = SearchSettings.Metric,
        ReadsMetricByDefault = true,
    };

    /// <summary>All searches, in the order of tables and help.</summary>
    public static IReadOnlyList<CircuitSearch> All { get; } = [PathTracing, Acdc, EdgePruning, HybridPruning];

    /// <summary>Finds a search by one of its names.</summary>
    /// <param name="name">The name. Upper and lower case are the same, and so are dashes and underscores.</param>
    /// <returns>The search.</returns>
    /// <exception cref="OptionException">There is none of this name. The message says which one may be meant, and which there
    /// are.</exception>
    public static CircuitSearch Find(string name) =>
        TryFind(name, out CircuitSearch? search) ? search : throw new OptionException($"{Terms.Method.With(name)}: {Unknown(name)}");

    /// <summary>Finds a search as <see cref="Find"/> does.</summary>
    /// <param name="name">The name.</param>
    /// <param name="search">The search; null where there is none of this name.</param>
    /// <returns>Whether there is one.</returns>
    public static bool TryFind(string name, [NotNullWhen(true)] out CircuitSearch? search)
    {
        ArgumentNullException.ThrowIfNull(name);
        search = All.FirstOrDefault(s => Names(s).Any(n => TableNames.Same(name, n)));
        return search is not null;
    }

    /// <summary>What to say of a name that no search has.</summary>
    /// <param name="name">The name.</param>
    /// <returns>The end of a message.</returns>
    internal static string Unknown(string name) =>
        TableNames.Unknown("search", name, [.. All.Select(s => s.Name)], All.SelectMany(Names));

    private static IEnumerable<string> Names(CircuitSearch search) => [search.Name, search.Title, .. search.Aliases];
}
