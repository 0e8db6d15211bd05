using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tests.Reference;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Tests.Attribution;

/// <summary>A pass over a workspace that is set up allocates nothing, neither managed memory nor memory of the device.</summary>
public sealed class AllocationTests
{
    [Theory]
    [InlineData(TaskMetric.LogitDifference, true)]
    [InlineData(TaskMetric.LogitDifference, false)]
    [InlineData(TaskMetric.ProbabilityDifference, true)]
    [InlineData(TaskMetric.KlDivergence, true)]
    public void Passes_over_a_workspace_allocate_nothing(TaskMetric metric, bool answerOnly)
    {
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
        Pass();
        Pass();
        long device = model.Device.AllocatedBytes;
        long managed = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 3; i++) Pass();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - managed);
        Assert.Equal(device, model.Device.AllocatedBytes);

        void Pass()
        {
            readers.Reset(shape);
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
}
