using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Store;

/// <summary>How far a sweep is and how long it still takes: by what units of the same kind took, not by their number.</summary>
internal sealed class SweepPace
{
    private readonly Dictionary<string, SweepUnit> _units = new(StringComparer.Ordinal);
    private readonly UnitTimes _times = new();

    /// <summary>How many units there are.</summary>
    public int Units => _units.Count;

    /// <summary>How many of them are done or have failed.</summary>
    public int Settled { get; private set; }

    /// <summary>How many processes work at them, as far as is known.</summary>
    public int Processes { get; set; } = 1;

    /// <summary>The time left; null before anything is known.</summary>
    public TimeSpan? Left => _times.Left() is { } left ? Times(TimeSpan.FromSeconds(1), left / Math.Max(1, Processes)) : null;

    /// <summary>Takes note of all units.</summary>
    /// <param name="units">The units.</param>
    /// <param name="isSettled">Whether a unit is done or has failed.</param>
    public void Begin(IEnumerable<SweepUnit> units, Func<SweepUnit, bool> isSettled)
    {
        foreach (SweepUnit unit in units)
        {
            _units[unit.Key] = unit;
            if (isSettled(unit)) Settled++;
            else _times.Open(unit);
        }
    }

    /// <summary>Whether a unit is one of those.</summary>
    /// <param name="key">Its key.</param>
    public bool Counts(string key) => _units.ContainsKey(key);

    /// <summary>Takes note that a unit is done or has failed, whoever has found that.</summary>
    /// <param name="key">Its key; others than those begun with do not count.</param>
    public void Settle(string key)
    {
        if (!_units.TryGetValue(key, out SweepUnit? unit)) return;
        Settled++;
        _times.Close(unit);
    }

    /// <summary>Takes note of the time that a unit has taken.</summary>
    /// <param name="unit">The unit.</param>
    /// <param name="result">Its result.</param>
    public void Took(SweepUnit unit, UnitResult result) => _times.Took(unit, UnitTimes.Own(unit, result));

    /// <summary>A multiple of a time, of at most a thousand years: estimates may be far off.</summary>
    /// <param name="time">The time.</param>
    /// <param name="factor">How many times.</param>
    public static TimeSpan Times(TimeSpan time, double factor) =>
        TimeSpan.FromSeconds(Math.Clamp(time.TotalSeconds * factor, 0, TimeSpan.FromDays(365_000).TotalSeconds));
}
