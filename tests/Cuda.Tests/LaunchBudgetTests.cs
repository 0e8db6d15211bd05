using Gradpath.Gpt2Runtime.Attribution;
using Xunit.Abstractions;

namespace Gradpath.Cuda.Tests;

/// <summary>
/// How many operations whole scorings of twenty pairs in one batch ask of the GPU, from the first allocation to the scores: kernels, copies
/// and fills, those of graphs included.
/// </summary>
public sealed class LaunchBudgetTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("eap", "", 430)]
    [InlineData("eap-ig", "", 430)]
    [InlineData("eap-gp", "", 1750)]
    [InlineData("eap-gp", "published", 1180)]
    public void LaunchBudget_of_a_scoring(string method, string preset, int budget)
    {
        AttributionOptions options = new() { Method = AttributionMethods.All.Single(m => m.Name == method), BatchSize = 20 };
        if (preset.Length > 0) options = options with { EmbeddingPath = EmbeddingPathOptions.Published };
        using SmallRun run = new();
        int operations = run.Counted($"{method} {preset}", output, () => EdgeAttribution.Score(run.Model, run.Prompts, options)).Operations;
        Assert.InRange(operations, 100, budget);
    }

    // What a batch adds to those before it, where all are of one shape.
    [Theory]
    [InlineData("eap", "", 385)]
    [InlineData("eap-ig", "", 385)]
    [InlineData("eap-gp", "", 1700)]
    [InlineData("eap-gp", "published", 1100)]
    public void LaunchBudget_of_a_further_batch(string method, string preset, int budget)
    {
        AttributionOptions options = new() { Method = AttributionMethods.All.Single(m => m.Name == method), BatchSize = 20 };
        if (preset.Length > 0) options = options with { EmbeddingPath = EmbeddingPathOptions.Published };
        using SmallRun run = new();
        (int Operations, int HostCalls) Batches(int count) => run.Counted(
            $"{count} batches of {method} {preset}", output, () => EdgeAttribution.Score(run.Model, run.Batches(count), options));
        (int five, int fiveCalls) = Batches(5);
        (int six, int sixCalls) = Batches(6);
        output.WriteLine($"a further batch: {six - five} operations by {sixCalls - fiveCalls} calls");
        Assert.InRange(six - five, 100, budget);
    }

    // Tiles of 128 x 192 leave few blocks where rows are few, so that more products are cut into shares that a second kernel adds: more
    // launches, and less time by the planner's estimate.
    [Theory]
    [InlineData("eap", 475)]
    [InlineData("eap-ig", 470)]
    public void LaunchBudget_with_packed_factors(string method, int budget)
    {
        AttributionOptions options = new() { Method = AttributionMethods.All.Single(m => m.Name == method), BatchSize = 20 };
        using SmallRun run = new(packed: true);
        int Batches(int count) => run.Counted(
            $"{count} batches of {method}", output, () => EdgeAttribution.Score(run.Model, run.Batches(count), options)).Operations;
        int five = Batches(5), six = Batches(6);
        output.WriteLine($"a further batch: {six - five} operations");
        Assert.InRange(six - five, 100, budget);
    }
}
