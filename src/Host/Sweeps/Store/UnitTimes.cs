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
    private readonly Dictionary<(bool IsPart, bool IsJoin), Group> _groups = [];
    private double _seconds;
    private double _cost;
    private int _open;

    /// <summary>The time of a unit itself. What puts parts together states theirs too.</summary>
    /// <param name="unit">The unit.</param>
    /// <param name="result">Its result.</param>
    public static double Own(SweepUnit unit, UnitResult result) =>
        unit.Needs.Count > 0 ? result.JudgeSeconds : result.Seconds + result.JudgeSeconds;

    /// <summary>Takes note of a unit that is not done.</summary>
    /// <param name="unit">The unit.</param>
    public void Open(SweepUnit unit)
    {
        _open++;
        Change(unit, kind => kind.Open += unit.Cost);
    }

    /// <summary>Takes note that a unit is open no more.</summary>
    /// <param name="unit">The unit.</param>
    public void Close(SweepUnit unit)
    {
        _open--;
        Change(unit, kind => kind.Open -= unit.Cost);
    }

    /// <summary>Takes note of the time that a unit has taken.</summary>
    /// <param name="unit">The unit.</param>
    /// <param name="seconds">Its time; what is no number does not count, nor does a unit without a cost.</param>
    public void Took(SweepUnit unit, double seconds)
    {
        if (!double.IsFinite(seconds) || !(unit.Cost > 0)) return;
        Group group = Change(unit, kind => kind.Took(seconds, unit.Cost));
        group.Seconds += seconds;
        group.Cost += unit.Cost;
        _seconds += seconds;
        _cost += unit.Cost;
    }

    /// <summary>The time that all open units take in one process; null where nothing is open or nothing is known.</summary>
    public double? Left()
    {
        if (_open <= 0 || _cost <= 0) return null;
        double left = _groups.Values.Sum(g => g.Known + (g.Unknown * (g.Cost > 0 ? g.Seconds / g.Cost : _seconds / _cost)));
        return left > 0 ? left : null;
    }

    // Sums over kinds follow, so that none goes through all: there may be as many kinds as units.
    private Group Change(SweepUnit unit, Action<Kind> change)
    {
        (bool, bool) of = (unit.Part is not null, unit.Needs.Count > 0);
        if (!_groups.TryGetValue(of, out Group? group)) _groups[of] = group = new Group();
        (string, string, bool, bool) key = (unit.Model, unit.Method.Label, of.Item1, of.Item2);
        if (!_kinds.TryGetValue(key, out Kind? kind)) _kinds[key] = kind = new Kind();
        group.Add(kind, -1);
        change(kind);
        group.Add(kind, 1);
        return group;
    }

    // All kinds that are parts, or put parts together, or neither.
    private sealed class Group
    {
        public double Seconds;
        public double Cost;
        public double Known;
        public double Unknown;

        public void Add(Kind kind, int sign)
        {
            if (kind.Speed is { } speed) Known += sign * kind.Open * speed;
            else Unknown += sign * kind.Open;
        }
    }

    private sealed class Kind
    {
        private readonly Queue<(double Seconds, double Cost)> _taken = new();

        // The cost of its units that are not done.
        public double Open;

        // Seconds for a unit of cost; null where nothing is known.
        public double? Speed { get; private set; }

        public void Took(double seconds, double cost)
        {
            if (_taken.Count == Last) _taken.Dequeue();
            _taken.Enqueue((seconds, cost));
            Speed = _taken.Sum(t => t.Seconds) / _taken.Sum(t => t.Cost);
        }
    }
}
