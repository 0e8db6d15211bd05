namespace Gradpath.Kernels.Cuda;

/// <summary>The plans of a device's products: each is chosen once, and found again without allocation.</summary>
/// <param name="gpu">The GPU.</param>
internal sealed class GemmPlans(GemmGpu gpu)
{
    // A work has tens of shapes, one over prompts of many lengths hundreds; then all are chosen anew.
    private const int Most = 8192;

    private readonly Dictionary<GemmPlanKey, GemmPlan> _plans = [];

    /// <summary>The GPU.</summary>
    public GemmGpu Gpu => gpu;

    /// <summary>How many plans have been chosen.</summary>
    public long Chosen { get; private set; }

    /// <summary>The plan of a product.</summary>
    /// <param name="key">The product.</param>
    /// <returns>The same for the same product.</returns>
    public GemmPlan Of(in GemmPlanKey key)
    {
        if (_plans.TryGetValue(key, out GemmPlan plan)) return plan;
        plan = GemmPlan.Choose(key, gpu);
        Chosen++;
        if (_plans.Count == Most) _plans.Clear();
        _plans.Add(key, plan);
        return plan;
    }
}
