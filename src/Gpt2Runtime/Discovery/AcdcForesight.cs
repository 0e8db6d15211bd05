namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// Guesses what will become of the next candidates, so that several can run at once, each in the circuit that the guesses about those
/// before it lead to. Its guesses follow from earlier decisions alone, never from times, so a search takes the same course on every run.
/// </summary>
/// <param name="earlier">Steps of a search with another threshold, or null.</param>
/// <param name="readers">Number of readers K.</param>
internal sealed class AcdcForesight(IReadOnlyList<AcdcStep>? earlier, int readers)
{
    private const double Memory = 1.0 / 16;
    private readonly Dictionary<int, bool> _earlier = earlier?.Where(s => s.Decision != AcdcDecision.Dropped)
        .ToDictionary(s => (s.Row * readers) + s.Column, s => s.Decision == AcdcDecision.Removed) ?? [];

    // Moving averages: how many of the latest edges were removed, and how many of the latest guesses were right.
    private double _removed = 0.75;
    private double _right = 0.75;

    /// <summary>
    /// Guesses whether an edge will be removed: what became of it with another threshold, else what became of most edges lately.
    /// </summary>
    /// <param name="row">The sender.</param>
    /// <param name="column">The reader.</param>
    /// <returns>True to expect its removal.</returns>
    public bool Removes(int row, int column) =>
        _earlier.TryGetValue((row * readers) + column, out bool removed) ? removed : _removed >= 0.5;

    /// <summary>
    /// How many candidates to run at once. With c of them, each guess right with probability p, 1 + p + ... + p^(c-1) are decided on
    /// average; the width that decides most per time is taken.
    /// </summary>
    /// <param name="most">Most that can run.</param>
    /// <param name="overhead">What a pass costs beside its copies, in copies.</param>
    /// <returns>1 to <paramref name="most"/>.</returns>
    public int Width(int most, double overhead)
    {
        int best = 1;
        double decided = 0, reached = 1, rate = 0;
        for (int c = 1; c <= most; c++)
        {
            decided += reached;
            reached *= _right;
            if (decided / (overhead + c) <= rate) break;
            rate = decided / (overhead + c);
            best = c;
        }
        return best;
    }

    /// <summary>Learns what became of a candidate.</summary>
    /// <param name="row">The sender.</param>
    /// <param name="column">The reader.</param>
    /// <param name="removed">Whether it was removed.</param>
    public void Learn(int row, int column, bool removed)
    {
        bool right = Removes(row, column) == removed;
        _right += Memory * ((right ? 1 : 0) - _right);
        _removed += Memory * ((removed ? 1 : 0) - _removed);
    }
}
