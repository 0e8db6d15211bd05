using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Store;

/// <summary>
/// What units have taken, by their kind, and what open ones are going to take. Estimated costs tell units of one kind apart; how many
/// seconds a cost is differs between methods, so that each kind has its own measure as soon as one of its units is done.
/// </summary>
internal sealed class UnitTimes
{
    // The first unit of a kind also pays for code that is compiled and weights that are read.
    private const int Last = 8;

    private readonly Dictionary<(string Model, string Method, bool IsPart, bool IsJoin), Kind> _kinds = [];

    /// <summary>The time of a unit itself. What puts parts together states theirs too.</summary>
    /// <param name="unit">The unit.</param>
    /// <param name="result">Its result.</param>
    public static double Own(SweepUnit unit, UnitResult result) =>
        unit.Needs.Count > 0 ? result.JudgeSeconds : result.Seconds + result.JudgeSeconds;

    /// <summary>Takes note of a unit that is not done.</summary>
    /// <param name="unit">The unit.</param>
    public void Open(SweepUnit unit) => Of(unit).Open += unit.Cost;

    /// <summary>Takes note that a unit is open no more.</summary>
    /// <param name="unit">The unit.</param>
    public void Close(SweepUnit unit) => Of(unit).Open -= unit.Cost;

    /// <summary>Takes note of the time that a unit has taken.</summary>
    /// <param name="unit">The unit.</param>
    /// <param name="seconds">Its time; what is no number does not count.</param>
    public void Took(SweepUnit unit, double seconds)
    {
        if (!double.IsFinite(seconds)) return;
        Queue<(double Seconds, double Cost)> taken = Of(unit).Taken;
        if (taken.Count == Last) taken.Dequeue();
        taken.Enqueue((seconds, unit.Cost));
    }

    /// <summary>The time that all open units take in one process; null where nothing is open or nothing is known.</summary>
    public double? Left()
    {
        double left = 0;
        if (Speed(_kinds.Values) is not { } usual) return null;
        foreach (((_, _, bool isPart, bool isJoin), Kind kind) in _kinds)
        {
            if (kind.Open <= 0) continue;
            double speed = Speed([kind])
                ?? Speed(_kinds.Where(k => k.Key.IsPart == isPart && k.Key.IsJoin == isJoin).Select(k => k.Value)) ?? usual;
            left += kind.Open * speed;
        }
        return left > 0 ? left : null;
    }

    // Seconds for a unit of cost; null where nothing is known.
    private static double? Speed(IEnumerable<Kind> kinds)
    {
        (double Seconds, double Cost)[] taken = [.. kinds.SelectMany(k => k.Taken)];
        double cost = taken.Sum(t => t.Cost);
        return cost > 0 ? taken.Sum(t => t.Seconds) / cost : null;
    }

    private Kind Of(SweepUnit unit)
    {
        (string, string, bool, bool) key = (unit.Model, unit.Method.Label, unit.Part is not null, unit.Needs.Count > 0);
        if (!_kinds.TryGetValue(key, out Kind? kind)) _kinds[key] = kind = new Kind();
        return kind;
    }

    private sealed class Kind
    {
        /// <summary>The cost of its units that are not done.</summary>
        public double Open;

        /// <summary>The last of its units that are.</summary>
        public Queue<(double Seconds, double Cost)> Taken { get; } = new();
    }
}
