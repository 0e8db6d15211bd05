using System.Diagnostics;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// Finds a threshold tau at which a search leaves a requested number of edges: bisection on the logarithm of tau between
/// <see cref="Smallest"/> and <see cref="Largest"/>. Every size starts from the same two ends, so that sizes share their first runs and the
/// threshold for one does not depend on which others were asked for.
/// </summary>
/// <remarks>The size is no monotone function of tau, and some sizes have no tau; the nearest size on the way is taken.</remarks>
internal sealed class ThresholdSearch
{
    /// <summary>The smallest threshold that is tried, near to what float32 can tell apart.</summary>
    public const double Smallest = 1e-8;

    /// <summary>The largest threshold that is tried.</summary>
    public const double Largest = 100;

    /// <summary>A size is met when it is this share away at most.</summary>
    public const double Tolerance = 0.02;

    private readonly Func<double, SearchResult> _search;
    private readonly Dictionary<double, ThresholdRun> _runs = [];

    /// <summary>Sets up a search; nothing runs yet.</summary>
    /// <param name="search">Runs the search at a threshold.</param>
    public ThresholdSearch(Func<double, SearchResult> search)
    {
        ArgumentNullException.ThrowIfNull(search);
        _search = search;
    }

    /// <summary>Finds the circuit whose pruned size is nearest to a number of edges; of two equally near the smaller.</summary>
    /// <param name="edges">Number of edges wanted after pruning.</param>
    /// <param name="mostRuns">Thresholds to look at, at most; those that another size has needed already cost nothing.</param>
    /// <returns>The run, and all that were looked at for it: what this size would have cost alone.</returns>
    /// <exception cref="ArgumentOutOfRangeException">No run is allowed.</exception>
    public (ThresholdRun Best, IReadOnlyList<ThresholdRun> Path) Find(int edges, int mostRuns)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(mostRuns, 1);
        double low = Math.Log10(Smallest), high = Math.Log10(Largest);
        ThresholdRun? best = null;
        List<ThresholdRun> path = [];
        for (int i = 0; i < mostRuns; i++)
        {
            double middle = (low + high) / 2;
            ThresholdRun run = At(Math.Pow(10, middle));
            path.Add(run);
            (int Distance, int Size) Rank(ThresholdRun r) => (Math.Abs(r.Pruned.EdgeCount - edges), r.Pruned.EdgeCount);
            if (best is null || Rank(run).CompareTo(Rank(best)) < 0) best = run;
            if (Rank(best).Distance <= Tolerance * edges) break;
            if (run.Pruned.EdgeCount > edges) low = middle;
            else high = middle;
        }
        return (best!, path);
    }

    private ThresholdRun At(double tau)
    {
        if (_runs.TryGetValue(tau, out ThresholdRun? known)) return known;
        var watch = Stopwatch.StartNew();
        SearchResult result = _search(tau);
        return _runs[tau] = new ThresholdRun(tau, result, CircuitPruning.Prune(result.Circuit), watch.Elapsed);
    }
}
