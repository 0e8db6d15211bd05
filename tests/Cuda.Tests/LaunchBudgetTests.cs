using Gradpath.Cuda.Tests.Driver;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cuda;
using Xunit.Abstractions;

namespace Gradpath.Cuda.Tests;

/// <summary>
/// How many operations works ask of the GPU at GPT-2 small's shape: 20 prompt pairs of 16 tokens that differ at token 12, in one batch.
/// </summary>
public sealed class LaunchBudgetTests(ITestOutputHelper output)
{
    private const int Pairs = 20, Tokens = 16, DiffersAt = 12;

    [Theory]
    [InlineData("eap-ig", 450)]
    [InlineData("eap-gp", 1100)]
    public void LaunchBudget_of_one_batch(string method, int budget)
    {
        CountingDriver driver = Run(method, 1);
        foreach ((string name, int count) in driver.Operations.OrderByDescending(o => o.Value)) output.WriteLine($"{name}: {count}");
        output.WriteLine($"{method}: {driver.Total} device operations, {driver.HostTotal} host calls");
        Assert.InRange(driver.Total, 1, budget);
    }

    private static CountingDriver Run(string method, int batches)
    {
        Gpt2Config config = new() { Layers = 12, Heads = 12, Width = 768, InnerWidth = 3072, Positions = 1024, Vocabulary = 50257 };
        CountingDriver driver = new();
        using CudaDevice device = new(driver, 0);
        using Gpt2Weights model = RandomGpt2Weights.Create(config, 1, device);
        var random = new Random(1);
        PromptPair[] one = [.. Enumerable.Range(0, Pairs).Select(_ =>
        {
            int[] clean = [.. Enumerable.Range(0, Tokens).Select(_ => random.Next(50257))];
            int[] corrupted = [.. clean];
            corrupted[DiffersAt] = (clean[DiffersAt] + 1 + random.Next(50000)) % 50257;
            return new PromptPair(clean, corrupted, [random.Next(50257)], [random.Next(50257)]);
        })];
        PromptPair[] pairs = [.. Enumerable.Range(0, batches).SelectMany(_ => one)];
        driver.Reset();
        EdgeAttribution.Score(
            model, PromptSet.Of(pairs), new AttributionOptions { Method = AttributionMethods.All.Single(m => m.Name == method), BatchSize = Pairs });
        return driver;
    }
}
