using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>What a run's methods share: the model, the largest batch, and where results are gathered.</summary>
internal sealed class ScoringContext : IDisposable
{
    private readonly Action<string, double> _advance;

    /// <summary>Sets up a run.</summary>
    /// <param name="weights">The model.</param>
    /// <param name="options">Method and settings.</param>
    /// <param name="items">Number of items of the run.</param>
    /// <param name="plan">Its batches.</param>
    /// <param name="advance">Told what is being done and the share of the current batch that is done.</param>
    /// <param name="cancellation">Asked between passes.</param>
    public ScoringContext(
        Gpt2Weights weights, AttributionOptions options, int items, BatchPlan plan, Action<string, double> advance, CancellationToken cancellation)
    {
        Weights = weights;
        Options = options;
        Plan = plan;
        Cancellation = cancellation;
        _advance = advance;
        Graph = new ComputationGraph(weights.Config);
        Forward = new ForwardPass(weights);
        Shapes = new PassShapes(weights.Device);
        Scores = weights.Device.AllocateArray<double>((long)Graph.Writers * Graph.Readers);
        CleanMetric = new double[items];
        CorruptedMetric = new double[items];
        Path = options.RecordPath ? [] : null;
    }

    /// <summary>The model.</summary>
    public Gpt2Weights Weights { get; }

    /// <summary>Its shape.</summary>
    public Gpt2Config Config => Weights.Config;

    /// <summary>The device.</summary>
    public Device Device => Weights.Device;

    /// <summary>Its graph.</summary>
    public ComputationGraph Graph { get; }

    /// <summary>Method and settings.</summary>
    public AttributionOptions Options { get; }

    /// <summary>The batches.</summary>
    public BatchPlan Plan { get; }

    /// <summary>The forward pass.</summary>
    public ForwardPass Forward { get; }

    /// <summary>The layouts of its passes.</summary>
    public PassShapes Shapes { get; }

    /// <summary>[F, K] float64: the weighted sums of all batches so far.</summary>
    public DeviceArray<double> Scores { get; }

    /// <summary>[F, K]: sums that are made on the host, beside <see cref="Scores"/>; null until a method uses it.</summary>
    public double[]? HostScores { get; set; }

    /// <summary>[F]: node scores where the method makes its own; else they are the row sums of the edge scores.</summary>
    public double[]? NodeScores { get; set; }

    /// <summary>Metric of the clean run per item.</summary>
    public double[] CleanMetric { get; }

    /// <summary>Metric of the corrupted run per item.</summary>
    public double[] CorruptedMetric { get; }

    /// <summary>The recorded path, or null.</summary>
    public List<PathPoint>? Path { get; }

    /// <summary>Asked between passes.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>Tells how far the current batch is, and stops a cancelled run.</summary>
    /// <param name="stage">What is being done.</param>
    /// <param name="share">Share of the batch that is done.</param>
    public void Advance(string stage, double share)
    {
        Cancellation.ThrowIfCancellationRequested();
        _advance(stage, share);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Shapes.Dispose();
        Scores.Dispose();
    }
}

/// <summary>A method: scores one batch after the other into the context's sums, with workspaces made for the largest batch.</summary>
internal abstract class BatchScorer : IDisposable
{
    private readonly List<IDisposable> _owned = [];

    /// <summary>Scores a batch.</summary>
    /// <param name="batch">The batch.</param>
    public abstract void Score(ScoringBatch batch);

    /// <inheritdoc />
    public virtual void Dispose()
    {
        for (int i = _owned.Count - 1; i >= 0; i--) _owned[i].Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Notes something to be disposed of with the method.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <param name="resource">The thing.</param>
    /// <returns>The same thing.</returns>
    protected T Own<T>(T resource)
        where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }
}
