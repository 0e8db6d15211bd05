namespace Gradpath.Kernels.Cuda;

/// <summary>The plans of a device's products: each is chosen once, and found again without allocation.</summary>
/// <param name="gpu">The GPU.</param>
internal sealed class GemmPlans(GemmGpu gpu)
{
    // A work has tens of shapes, one over prompts of many lengths hundreds; then all are chosen anew.
    private const int Most = 8192;

    private readonly Dictionary<GemmPlanKey, GemmPlan> _plans = [];
    private readonly Dictionary<GemmPlanKey, GemmPlan> _measured = [];

    /// <summary>The GPU.</summary>
    public GemmGpu Gpu => gpu;

    /// <summary>How many plans have been chosen.</summary>
    public long Chosen { get; private set; }

    /// <summary>The products that plans have been asked for.</summary>
    public IReadOnlyCollection<GemmPlanKey> Products => _plans.Keys;

    /// <summary>Plans that take the place of chosen ones; null for none. All plans are found anew when they change.</summary>
    public GemmPlanFile? Measured
    {
        get;
        set
        {
            field = value;
            _plans.Clear();
            _measured.Clear();
            foreach (TunedPlan plan in value?.Plans ?? [])
                _measured[new GemmPlanKey(plan.Shape, plan.Arithmetic, plan.TransposedB, 0, plan.Packed)] = plan.Best.Plan;
        }
    }

    /// <summary>The plan of a product.</summary>
    /// <param name="key">The product.</param>
    /// <returns>The same for the same product.</returns>
    public GemmPlan Of(in GemmPlanKey key)
    {
        if (_plans.TryGetValue(key, out GemmPlan plan)) return plan;
        if (!_measured.TryGetValue(key with { WorkspaceBytes = 0 }, out plan) || !IsFit(plan, key)) plan = GemmPlan.Choose(key, gpu);
        Chosen++;
        if (_plans.Count == Most) _plans.Clear();
        _plans.Add(key, plan);
        return plan;
    }

    private bool IsFit(in GemmPlan plan, in GemmPlanKey key) =>
        plan.Tile is null || (gpu.Blocks(plan.Tile, key.TransposedB) > 0 && (plan.Splits == 1 || plan.MaySplit(key)));
}
