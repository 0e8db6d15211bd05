using Gradpath.Diagnostics.Ops;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Diagnostics.SelfTest;

/// <summary>Passes that are recorded as graphs and replayed, against the same passes launched directly.</summary>
internal static class GraphChecks
{
    /// <summary>The methods that compute something; an ensemble computes what its members do.</summary>
    public static IReadOnlyList<AttributionMethod> Methods { get; } =
    [
        .. AttributionMethods.All.Where(m =>
            m.Members.Count == 0 && m.CountPasses(new AttributionOptions { Method = m }) is not { Forward: 0, Backward: 0 }),
    ];

    /// <summary>Scores pair by pair, so that the same pass runs several times: directly, then as a method runs by itself.</summary>
    /// <param name="model">The model on the GPU.</param>
    /// <param name="method">The method.</param>
    /// <returns>The comparison; its cases are the passes that were replayed.</returns>
    public static ComparisonLine Compare(SelfTestModel model, AttributionMethod method)
    {
        CudaDevice device = (CudaDevice)model.Weights.Device;
        AttributionOptions options = new() { Method = method, BatchSize = 1 };
        double[][] direct, replayed;

        // While somebody watches, nothing is replayed.
        device.Watcher = new Nobody();
        try
        {
            direct = MethodChecks.Score(model, model.Pairs, options);
        }
        finally
        {
            device.Watcher = null;
        }
        long before = device.ReplayedPasses;
        int directRuns = device.DirectRuns;
        device.DirectRuns = 1;
        try
        {
            replayed = MethodChecks.Score(model, model.Pairs, options);
        }
        finally
        {
            device.DirectRuns = directRuns;
        }
        int passes = (int)(device.ReplayedPasses - before);
        (double error, string? place) = OpComparison.Compare(direct, replayed);
        string? fault = place;
        if (passes == 0 && device.Options.Graphs) fault ??= "no pass was replayed";
        return new ComparisonLine(method.Name, passes, error, 0, fault);
    }

    private sealed class Nobody : IOpWatcher
    {
        public void Begin(string op, in ProductShape product)
        {
        }

        public void End()
        {
        }
    }
}
