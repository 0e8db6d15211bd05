using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Xunit.Abstractions;

namespace Gradpath.Cuda.Tests;

/// <summary>
/// What patched and masked passes ask of an H200 at GPT-2 small's shape: operations of the device, graph nodes included, and calls of the
/// host. Twenty pairs of 16 tokens that differ at token 12.
/// </summary>
public sealed class LaunchBudgetPatchedTests(ITestOutputHelper output)
{
    [Fact]
    public void A_patched_pass_of_a_thousand_edges()
    {
        var graph = new ComputationGraph(SmallRun.Config);
        var random = new Random(5);
        EdgeScores ranking = new(graph, [.. Enumerable.Range(0, graph.Writers * graph.Readers).Select(_ => (float)random.NextDouble())]);
        Circuit circuit = CircuitPruning.Prune(CircuitSelection.TopEdges(ranking, 1000));
        using SmallRun run = new();
        Evaluate(0);
        int none = run.Counted("an evaluation of no circuit", output, () => Evaluate(0)).Operations;
        int one = run.Counted("an evaluation of one circuit", output, () => Evaluate(1)).Operations;
        output.WriteLine($"a patched pass and its metrics: {one - none} operations");
        Assert.InRange(one - none, 50, 140);

        void Evaluate(int times) => CircuitEvaluation.Evaluate(
            run.Model, run.Prompts, [.. Enumerable.Repeat(circuit, times)], new EvaluationOptions { BatchSize = 20 });
    }

    [Fact]
    public void Exact_patching_of_the_edges_into_an_mlp()
    {
        using SmallRun run = new();
        int one = Batches(1), five = Batches(5), six = Batches(6);
        output.WriteLine($"a batch: {six - five} operations");

        // About half of them are of the straight runs before it.
        Assert.InRange(six - five, 200, 400);

        int Batches(int count) => run.Counted($"exact patching into m6, {count} batches", output, () => EdgeAttribution.Run(
            run.Model, run.Batches(count), new AttributionOptions { Method = AttributionMethods.Exact, BatchSize = 20 },
            new ScoringHooks { OnlySublayers = s => s == 13 })).Operations;
    }

    [Fact]
    public void A_step_of_edge_pruning()
    {
        Step(CircuitSearches.EdgePruning, new EdgePruningOptions { BatchSize = 20, Sparsity = 0.9 });
    }

    [Fact]
    public void A_step_of_edge_pruning_with_gates()
    {
        Step(
            CircuitSearches.EdgePruning,
            new EdgePruningOptions { BatchSize = 20, Sparsity = 0.9, NodeMasks = true, NodeTarget = 0.3 });
    }

    [Fact]
    public void A_step_of_hybrid_pruning()
    {
        Step(
            CircuitSearches.HybridPruning,
            new HybridPruningOptions
            {
                BatchSize = 20,
                Sparsity = 0.95,
                Scorer = AttributionMethods.Random.Scorer(new AttributionOptions { Seed = 3 }),
            });
    }

    // What a step adds to those before it, once the steps are recorded.
    private void Step<TOptions, TResult>(CircuitSearchOf<TOptions, TResult> search, TOptions options)
        where TOptions : EdgePruningOptions, new()
        where TResult : SearchResult
    {
        using SmallRun run = new();
        Steps(8);
        (int operations, int calls) = Steps(9);
        (int fewerOperations, int fewerCalls) = Steps(8);
        output.WriteLine($"a step: {operations - fewerOperations} operations by {calls - fewerCalls} calls");
        Assert.InRange(operations - fewerOperations, 300, 500);
        Assert.InRange(calls - fewerCalls, 1, 5);

        (int Operations, int HostCalls) Steps(int steps) => run.Counted(
            $"{steps} steps of {search.Name}", output,
            () => search.Search(run.Model, run.Prompts, (TOptions)(options with { Steps = steps })));
    }
}
