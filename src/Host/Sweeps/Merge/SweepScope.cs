using Gradpath.Host.Sweeps.Plan;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>What all cells of a grid have in common.</summary>
/// <param name="Model">The model.</param>
/// <param name="Metric">The metric, or <see cref="OwnMetric"/>.</param>
/// <param name="Ablation">What edges outside a circuit carry.</param>
internal sealed record SweepScope(string Model, string Metric, string Ablation)
{
    /// <summary>The metric of a plan that leaves it to the tasks.</summary>
    public const string OwnMetric = "each task's own";

    /// <summary>The scope in words.</summary>
    public string Title => $"model {Model}, metric {Metric}, ablation {Ablation}";

    /// <summary>The scope of a unit.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="unit">The unit.</param>
    public static SweepScope Of(SweepPlan plan, SweepUnit unit) =>
        new(unit.Model, plan.Metrics.Contains(unit.Metric) ? unit.Metric : OwnMetric, EnumNames.Of(unit.Ablation));
}
