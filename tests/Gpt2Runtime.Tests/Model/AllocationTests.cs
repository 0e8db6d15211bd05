using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Tests.Model;

/// <summary>A pass over a workspace that is set up allocates nothing, neither managed memory nor memory of the device.</summary>
public sealed class AllocationTests
{
    [Theory]
    [InlineData("logit-diff", true)]
    [InlineData("logit-diff", false)]
    [InlineData("prob-diff", true)]
    [InlineData("kl", true)]
    public void Passes_over_a_workspace_allocate_nothing(string metricName, bool answerOnly)
    {
        Metric metric = BuiltInMetrics.Find(metricName);
        using OddModel model = OddModel.Make("head bias", workers: 1);
        Gpt2Config config = model.Weights.Config;
        int[] lengths = [.. model.Mixed.Select(p => p.Length)];
        var one = PassCapacity.For(lengths, 1, answerOnly);
        var two = PassCapacity.For(lengths, 2, answerOnly);
        var forward = new ForwardPass(model.Weights);
        using var shape = new PassShape(model.Device, lengths, 2, answerOnly);
        using var activations = new Activations(config, model.Device, two, keepWriters: true);
        using var backward = new BackwardPass(model.Weights, two, 1);
        using var constants = new ReaderConstants(model.Weights);
        using var readers = new ReaderGradients(model.Weights, constants, one, 2, answerOnly);
        using var head = new OutputHead(model.Weights, metric, lengths.Length, two.Sequences);
        using var outputs = new WriterOutputs(config, model.Device, one);
        using var delta = new WriterDifferences(model.Weights, one, answerOnly);
        using DeviceArray<double> scores = model.Device.AllocateArray<double>(model.Reference.Graph.Rows * model.Reference.Graph.Columns);
        using DeviceArray<int> tokens = model.Device.Store<int>([.. model.Mixed.Concat(model.Mixed).SelectMany(p => p.Clean)]);
        using Tensor embeddings = model.Device.Allocate(shape.Rows, config.Width);
        model.Device.GatherRows(model.Weights.TokenEmbedding, tokens, shape.Rows, config.Width, embeddings);
        head.SetItems(model.Mixed);
        Allocations.None(model.Device, Pass);

        void Pass()
        {
            readers.Reset();
            forward.Embed(shape, activations, embeddings);
            forward.Run(shape, activations);
            head.Evaluate(shape, activations, 0);
            outputs.Take(shape, activations, embeddings, 0);
            delta.Spread(shape, outputs);
            head.LossGradient(shape, backward, readers, 2);
            backward.Run(shape, activations, 1, readers, 2);
            readers.Advance(2);
            readers.Contract(shape, delta, scores);
        }
    }

    /// <summary>
    /// The whole of what a method does with a batch whose items are on the device: W1's batch, the steps of EAP-GP's path.
    /// </summary>
    [Theory]
    [InlineData("eap", "logit-diff", 5)]
    [InlineData("eap-ig", "logit-diff", 5)]
    [InlineData("eap-ig", "logit-diff", 300)]
    [InlineData("eap-ig", "kl", 3)]
    [InlineData("clean-corrupted", "prob-diff", 2)]
    [InlineData("eap-gp", "logit-diff", 5)]
    [InlineData("eap-gp", "kl", 3)]
    [InlineData("eap-ig", "squared-logit-diff", 3)]
    public void Scoring_a_warm_batch_allocates_nothing(string name, string metricName, int steps)
    {
        Metric metric = BuiltInMetrics.All.Concat(OwnMetrics.All).Single(m => m.Name == metricName);
        AttributionMethod method = AttributionMethods.Find(name);
        using OddModel model = OddModel.Make("head bias", workers: 1);

        // Half of each prompt is shared, and every item has other answers.
        PromptPair[] pairs = [.. model.Mixed.Select(p =>
            p with { Corrupted = [.. p.Clean[..(p.Length / 2)], .. p.Corrupted[(p.Length / 2)..]] })];
        var options =
            new AttributionOptions { Method = method, Metric = metric, Steps = method.Takes(MethodSettings.Steps) ? steps : null };
        var settings = ScoringSettings.Of(options);
        PromptSpan[] spans = PairSpans.Of(pairs, method.Work.SharesPrefixes(settings));
        int[] items = [.. Enumerable.Range(0, pairs.Length)];
        using var context = new RunContext(model.Weights, pairs, spans, new BatchPlan([items], items.Length), Ablation.Patching);
        using BatchScorer scorer = method.Work.Scorer(context, settings);
        using var batch = new WeightedBatch(context, items, ItemWeights.Of(settings, AnswerParts.Of(pairs, metric)));
        Allocations.None(model.Device, () => scorer.Score(batch));
    }

    [Fact]
    public void A_warm_masked_pass_and_a_step_of_its_masks_allocate_nothing()
    {
        using OddModel model = OddModel.Make("head bias", workers: 1);
        using var bench = new MaskedBench(model, model.Mixed, null, Ablation.Patching, BuiltInMetrics.KlDivergence);
        EdgePruningOptions options = new EdgePruningOptions { Steps = 10 }.Resolve(bench.Graph.EdgeCount);
        using var optimizer = new MaskOptimizer(
            model.Device, bench.Plan, options, MaskStart.Means(bench.Plan, options.Init, options.NodeMasks));
        int step = 0;
        Allocations.None(model.Device, () =>
        {
            optimizer.Begin(step);
            optimizer.Sample();
            bench.Pass.Forward(bench.Batch, optimizer.Mask);
            bench.Pass.Backward(bench.Batch, optimizer.Mask, optimizer.Scores);
            optimizer.Update(bench.Values, model.Mixed.Length);
            optimizer.End(step++);
        });
    }
}
