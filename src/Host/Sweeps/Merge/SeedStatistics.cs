using Gradpath.Host.Sweeps.Plan;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>Means over seeds of everything that a sweep has measured, as grids.</summary>
internal static class SeedStatistics
{
    private static readonly SweepMeasure[] s_order =
    [
        SweepMeasure.Cmd, SweepMeasure.Cpr, SweepMeasure.Faithfulness, SweepMeasure.Kl, SweepMeasure.ExactMatch, SweepMeasure.Accuracy,
        SweepMeasure.Precision, SweepMeasure.Recall, SweepMeasure.Sparsity, SweepMeasure.Stability, SweepMeasure.Spearman,
        SweepMeasure.Overlap,
    ];

    /// <summary>The grids of a sweep, in the plan's order: by model, metric and ablation, then by kind, measure and size.</summary>
    /// <param name="input">The sweep's results, in any order.</param>
    /// <param name="cancellation">Stops the work.</param>
    public static IReadOnlyList<SeedGrid> Of(MergeInput input, CancellationToken cancellation = default)
    {
        MergeInput ordered = input.Ordered();
        (SweepUnit Unit, UnitResult Result)[] whole = [.. ordered.Done.Where(d => d.Unit.Part is null)];
        SweepPlan plan = input.Plan;
        string[] tasks = [.. plan.Tasks.Select(t => t.Name), .. whole.Select(d => d.Unit.Task.Name)];
        string[] methods = Methods(plan, whole);

        string range = Range(plan.Fractions);
        GridBuilder byTask = new(), transfer = new();
        foreach ((SweepUnit unit, UnitResult result) in whole)
        {
            SweepScope scope = SweepScope.Of(plan, unit);
            AddUnit(byTask, scope, unit, result, range);
            foreach (UnitRow row in result.Rows) AddRow(byTask, transfer, scope, unit, row);
        }
        IEnumerable<SeedGrid> all = [.. byTask.Grids(methods, tasks), .. Transfers(transfer, tasks)];
        if (plan.Evaluate.HasFlag(SweepEvaluation.Overlap) && input.CircuitOf is { } circuitOf)
            all = [.. all, .. CircuitOverlap.Of(plan, whole, circuitOf, methods, cancellation)];
        return Sorted(plan, all, methods, tasks);
    }

    // Labels with their sparsity and without, so that each stands where the plan has its method first.
    private static string[] Methods(SweepPlan plan, IEnumerable<(SweepUnit Unit, UnitResult Result)> done)
    {
        Dictionary<string, int> place = [];
        foreach (SweepMethod method in plan.Methods) place.TryAdd(method.Label, place.Count);
        IEnumerable<(string Name, int At)> units = done.Select(d => d.Unit).DistinctBy(u => u.Method.Label)
            .SelectMany(u => new[] { u.Method.Label, CircuitSize.OfSearch(u).Method(u) }
                .Select(name => (name, place.GetValueOrDefault(u.Method.Label, int.MaxValue))));
        return [.. units.GroupBy(u => u.Name).Select(g => (Name: g.Key, At: g.Min(u => u.At))).OrderBy(m => m.At).Select(m => m.Name)];
    }

    // Areas over other fractions are other numbers.
    private static string Range(IReadOnlyList<double> fractions) => fractions.Count == 0 ? ""
        : $"fractions from {CircuitSize.Percent(fractions.Min())} to {CircuitSize.Percent(fractions.Max())} of the edges";

    private static void AddUnit(GridBuilder grids, SweepScope scope, SweepUnit unit, UnitResult result, string range)
    {
        void Add(GridKind kind, SweepMeasure measure, double? value) => grids.Add(
            new GridKey(kind, scope, measure) { Over = kind == GridKind.Area ? range : null }, unit.Method.Label, unit.Task.Name, unit.Seed,
            value);
        Add(GridKind.Area, SweepMeasure.Cmd, result.Cmd);
        Add(GridKind.Area, SweepMeasure.Cpr, result.Cpr);
        Add(GridKind.Stability, SweepMeasure.Spearman, result.Spearman);
    }

    private static void AddRow(GridBuilder byTask, GridBuilder transfer, SweepScope scope, SweepUnit unit, UnitRow row)
    {
        CircuitSize size = CircuitSize.Of(unit, row);
        string method = size.Method(unit), task = unit.Task.Name;
        void Add(GridKind kind, SweepMeasure measure, double? value) =>
            byTask.Add(new GridKey(kind, scope, measure, size), method, task, unit.Seed, value);
        switch (row.Kind)
        {
            case "curve":
                Add(GridKind.Curve, SweepMeasure.Faithfulness, row.Faithfulness);
                break;
            case "stability":
                Add(GridKind.Stability, SweepMeasure.Stability, row.Jaccard);
                break;
            case "size" or "found":
                Add(GridKind.Circuit, SweepMeasure.Faithfulness, row.Faithfulness);
                Add(GridKind.Circuit, SweepMeasure.Kl, row.Kl);
                Add(GridKind.Circuit, SweepMeasure.ExactMatch, row.ExactMatch);
                Add(GridKind.Circuit, SweepMeasure.Accuracy, row.Accuracy);
                Add(GridKind.Circuit, SweepMeasure.Precision, row.Precision);
                Add(GridKind.Circuit, SweepMeasure.Recall, row.Recall);
                if (size.Place is null) Add(GridKind.Circuit, SweepMeasure.Sparsity, row.Sparsity);
                break;
        }
        if (row.Kind is "size" or "found" or "transfer")
        {
            transfer.Add(new GridKey(GridKind.Transfer, scope, SweepMeasure.Faithfulness, size, method), task, row.JudgedOn, unit.Seed,
                row.Faithfulness);
        }
    }

    // Without rows of other tasks' prompts there is nothing but a diagonal.
    private static IEnumerable<SeedGrid> Transfers(GridBuilder transfer, string[] tasks) =>
        transfer.Grids(tasks, tasks).Where(g => g.Rows.Any(of => g.Columns.Any(on => of != on && g.Cell(of, on) is not null)));

    private static IReadOnlyList<SeedGrid> Sorted(SweepPlan plan, IEnumerable<SeedGrid> grids, string[] methods, string[] tasks)
    {
        string[] metrics = [.. plan.Metrics.Select(m => m ?? SweepScope.OwnMetric)];
        string[] ablations = [.. plan.Ablations.Select(a => EnumNames.Of(a))];
        // Behind all where it is not among them.
        static int Place(IEnumerable<string> all, string name) => all.TakeWhile(a => a != name).Count();
        return
        [
            .. grids.OrderBy(g => Place(plan.Models, g.Key.Scope.Model)).ThenBy(g => g.Key.Scope.Model, StringComparer.Ordinal)
                .ThenBy(g => Place(metrics, g.Key.Scope.Metric)).ThenBy(g => Place(ablations, g.Key.Scope.Ablation))
                .ThenBy(g => g.Key.Kind).ThenBy(g => Array.IndexOf(s_order, g.Key.Measure))
                .ThenBy(g => g.Key.Of is { } of ? Place(g.Key.Kind == GridKind.Overlap ? tasks : methods, of) : 0)
                .ThenBy(g => g.Key.Size),
        ];
    }
}
