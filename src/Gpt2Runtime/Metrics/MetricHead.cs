using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Metrics;

/// <summary>
/// A metric at work on a device: values and gradients of rows. A row is one run's output at the answer position: its logits where the
/// metric reads those, else the final LayerNorm's output. Row r belongs to item r mod items, of which a batch sets the number.
/// </summary>
internal abstract class MetricHead : ResourceOwner
{
    /// <summary>Allocates what every head has.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="sequences">Prompts of all copies of the largest pass.</param>
    protected MetricHead(Gpt2Weights weights, int sequences)
    {
        Weights = weights;
        Values = new double[sequences];
        DeviceValues = Own(Device.AllocateArray<double>(sequences));
    }

    /// <summary>The value of every row, after <see cref="Evaluate"/>; not negated.</summary>
    public double[] Values { get; }

    /// <summary>The number of prompts of the batch.</summary>
    public int Items { get; protected set; }

    /// <summary>Where a metric compares with one: the reference, [items, vocabulary] log-probabilities.</summary>
    public virtual Tensor Reference => throw NoReference();

    /// <summary>The weights of the model that runs.</summary>
    protected Gpt2Weights Weights { get; }

    /// <summary>The device.</summary>
    protected Device Device => Weights.Device;

    /// <summary>[sequences]: values on the device, as they are computed.</summary>
    public DeviceArray<double> DeviceValues { get; }

    /// <summary>
    /// Whether values stay on the device: <see cref="Values"/> then keeps what it has, and an evaluation can be part of a recorded pass.
    /// </summary>
    public bool LeavesValues { get; set; }

    /// <summary>Takes a new batch.</summary>
    /// <param name="pairs">Its items.</param>
    /// <param name="numbers">Their places in the run from 0, for messages; null where they are 0, 1, ...</param>
    public virtual void SetItems(IReadOnlyList<PromptPair> pairs, int[]? numbers) => Items = pairs.Count;

    /// <summary>Where a metric compares with a reference: takes a new batch of which only that is needed. Allocates nothing.</summary>
    /// <param name="logProbabilities">[items, vocabulary]; used until another takes its place.</param>
    /// <param name="items">Number of prompts.</param>
    public virtual void UseReference(Tensor logProbabilities, int items) => throw NoReference();

    /// <summary>Computes the rows' <see cref="Values"/>.</summary>
    /// <param name="x">[rows, vocabulary], which may be overwritten, or [rows, D].</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="cleanCopy">The copy that holds the clean run, or -1 to go on comparing with that of an earlier call.</param>
    public abstract void Evaluate(Tensor x, int rows, int cleanCopy);

    /// <summary>After <see cref="Evaluate"/>: the derivative of each row's value by that row.</summary>
    /// <param name="x">What that call has left of the rows.</param>
    /// <param name="rows">Number of rows: the first ones of that call.</param>
    /// <param name="gradient">[rows, vocabulary] or [rows, D], out; may be <paramref name="x"/> where those are logits.</param>
    public abstract void Gradient(Tensor x, int rows, Tensor gradient);

    /// <summary>
    /// [items, D]: each row's derivative of the loss by the final LayerNorm's output, where a batch alone says what it is; else null.
    /// </summary>
    public virtual Tensor? LossDirections => null;

    /// <summary>Waits for the values on the device, unless they stay there.</summary>
    /// <param name="rows">Number of rows.</param>
    protected void DownloadValues(int rows)
    {
        if (!LeavesValues) DeviceValues.Download(Values.AsSpan(0, rows));
    }

    private static InvalidOperationException NoReference() => new("the metric has no reference, or none has been taken");
}
