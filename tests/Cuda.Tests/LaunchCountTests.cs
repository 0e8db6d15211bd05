using Gradpath.Cuda.Tests.Driver;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cuda;
using Xunit.Abstractions;

namespace Gradpath.Cuda.Tests;

/// <summary>
/// What a batch asks of the driver once its passes are recorded: EAP-IG with five points on twelve layers, ten pairs that share their first
/// tokens.
/// </summary>
public sealed class LaunchCountTests(ITestOutputHelper output)
{
    private const int Pairs = 10, Tokens = 16, DiffersAt = 12;

    private static readonly string[] Counted =
    [
        "Launch", "CopyOnDevice", "CopyToDevice", "CopyToHost", "FillBytes", "LaunchGraph", "Synchronize", "Allocate",
    ];

    [Fact]
    public void A_batch_after_the_first_ones_is_mostly_graphs()
    {
        Dictionary<string, int> direct = PerBatch(graphs: false), replayed = PerBatch(graphs: true);
        foreach (string call in Counted) output.WriteLine($"{call}: {direct[call]} without graphs, {replayed[call]} with");
        Assert.True(direct["Launch"] > 300);
        Assert.InRange(replayed["LaunchGraph"], 1, 10);
        Assert.InRange(replayed["Launch"], 1, 18);
        Assert.InRange(replayed["CopyOnDevice"], 1, 14);
        Assert.InRange(replayed["CopyToDevice"] + replayed["CopyToHost"], 2, 9);
        Assert.Equal((1, 0), (replayed["Synchronize"], replayed["Allocate"]));
    }

    // What the fifth batch adds to four of the same shape.
    private static Dictionary<string, int> PerBatch(bool graphs)
    {
        Dictionary<string, int> four = Run(graphs, 4), five = Run(graphs, 5);
        return Counted.ToDictionary(c => c, c => five[c] - four[c]);
    }

    private static Dictionary<string, int> Run(bool graphs, int batches)
    {
        Gpt2Config config = new() { Layers = 12, Heads = 12, Width = 48, InnerWidth = 192, Positions = 32, Vocabulary = 101 };
        WatchedDriver driver = new(new HostDriver());
        using CudaDevice device = new(driver, 0, new CudaOptions { Graphs = graphs });
        using Gpt2Weights model = RandomGpt2Weights.Create(config, 1, device);
        Random random = new(1);
        PromptPair[] pairs = [.. Enumerable.Range(0, batches * Pairs).Select(_ =>
        {
            int[] clean = [.. Enumerable.Range(0, Tokens).Select(_ => random.Next(100))];
            int[] corrupted = [.. clean];
            corrupted[DiffersAt]++;
            return new PromptPair(clean, corrupted, [3], [8]);
        })];
        driver.Reset();
        EdgeAttribution.Score(model, PromptSet.Of(pairs), new AttributionOptions { Method = AttributionMethods.EapIg, BatchSize = Pairs });
        return Counted.ToDictionary(c => c, driver.Calls);
    }
}
