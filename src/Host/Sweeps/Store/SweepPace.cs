using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Store;

/// <summary>How far a sweep is and how long it still takes: by the estimated cost of its units, not by their number.</summary>
/// <param name="time">The clock.</param>
internal sealed class SweepPace(TimeProvider time)
{
    private readonly Dictionary<string, double> _costs = new(StringComparer.Ordinal);
    private double _left;
    private double _gained;
    private long _start;

    /// <summary>How many units there are.</summary>
    public int Units => _costs.Count;

    /// <summary>How many of them are done or have failed.</summary>
    public int Settled { get; private set; }

    /// <summary>The time left at the pace since the start, whoever has computed; null before there is any.</summary>
    public TimeSpan? Left => _gained > 0 ? Times(time.GetElapsedTime(_start), _left / _gained) : null;

    /// <summary>Begins to measure.</summary>
    /// <param name="units">The units.</param>
    /// <param name="isSettled">Whether a unit is done or has failed.</param>
    public void Begin(IEnumerable<SweepUnit> units, Func<SweepUnit, bool> isSettled)
    {
        foreach (SweepUnit unit in units)
        {
            _costs[unit.Key] = unit.Cost;
            if (isSettled(unit)) Settled++;
            else _left += unit.Cost;
        }
        _start = time.GetTimestamp();
    }

    /// <summary>Whether a unit is one of those.</summary>
    /// <param name="key">Its key.</param>
    public bool Counts(string key) => _costs.ContainsKey(key);

    /// <summary>Takes note that a unit is done or has failed, whoever has found that.</summary>
    /// <param name="key">Its key; others than those begun with do not count.</param>
    public void Settle(string key)
    {
        if (!_costs.TryGetValue(key, out double cost)) return;
        Settled++;
        _gained += cost;
        _left -= cost;
    }

    /// <summary>A multiple of a time, of at most a thousand years: estimates may be far off.</summary>
    /// <param name="time">The time.</param>
    /// <param name="factor">How many times.</param>
    public static TimeSpan Times(TimeSpan time, double factor) =>
        TimeSpan.FromSeconds(Math.Clamp(time.TotalSeconds * factor, 0, TimeSpan.FromDays(365_000).TotalSeconds));
}
