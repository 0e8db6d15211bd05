using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>A batch whose items count in the final scores with weights, see <see cref="ItemWeights"/>.</summary>
internal sealed class WeightedBatch : PairBatch
{
    /// <summary>Brings a batch and its weights to the device.</summary>
    /// <param name="context">The run.</param>
    /// <param name="items">Indices of the batch's items.</param>
    /// <param name="weights">Weight of every item of the run.</param>
    public WeightedBatch(RunContext context, int[] items, double[] weights)
        : base(context.Device, context.Pairs, items, context.Spans)
    {
        HostItemWeights = [.. items.Select(i => weights[i])];
        ItemWeights = Own(context.Device.StoreTensor([.. HostItemWeights.Select(w => (float)w)], items.Length));
        float[] rows = [.. HostItemWeights.SelectMany((w, i) => Enumerable.Repeat((float)w, Spans[i].Length))];
        RowWeights = Own(context.Device.StoreTensor(rows, rows.Length));
    }

    /// <summary>[items]: weight of each item in the final scores.</summary>
    public double[] HostItemWeights { get; }

    /// <summary>[items]: the same on the device.</summary>
    public Tensor ItemWeights { get; }

    /// <summary>[rows]: the same for each row.</summary>
    public Tensor RowWeights { get; }
}
