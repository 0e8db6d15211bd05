using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Runs;

/// <summary>
/// What everything that runs prompt pairs shares: the model, the pairs, how they are cut into batches, what replaces ablated outputs, and
/// whom to tell about progress. It does not change during a run, and no results are kept in it.
/// </summary>
internal sealed class RunContext : ResourceOwner
{
    private readonly IProgress<RunProgress>? _progress;

    /// <summary>Sets up a run.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="pairs">All items of the run.</param>
    /// <param name="spans">The positions of each item that are run.</param>
    /// <param name="plan">The batches.</param>
    /// <param name="ablation">What replaces writers' outputs.</param>
    /// <param name="progress">Told how far the run is; may be null.</param>
    /// <param name="positions">The spans of the items' tokens; null where no spans are told apart.</param>
    /// <param name="cancellation">Asked between passes, and by the device between operations.</param>
    public RunContext(
        Gpt2Weights weights,
        IReadOnlyList<PromptPair> pairs,
        PromptSpan[] spans,
        BatchPlan plan,
        Ablation ablation,
        IProgress<RunProgress>? progress = null,
        SpanTable? positions = null,
        CancellationToken cancellation = default)
    {
        Weights = weights;
        Positions = positions;
        Pairs = pairs;
        Spans = spans;
        Plan = plan;
        Ablation = ablation;
        _progress = progress;
        Cancellation = cancellation;
        Largest = PromptSpan.Largest(spans, plan.Size);
        Graph = new ComputationGraph(weights.Config);
        Forward = new ForwardPass(weights);
        Shapes = Own(new PassShapes(weights.Device));
        Own(weights.Device.StopOn(cancellation));
    }

    /// <summary>The weights of the model that runs.</summary>
    public Gpt2Weights Weights { get; }

    /// <summary>Its shape.</summary>
    public Gpt2Config Config => Weights.Config;

    /// <summary>The device that holds it.</summary>
    public Device Device => Weights.Device;

    /// <summary>Its graph.</summary>
    public ComputationGraph Graph { get; }

    /// <summary>Its forward pass.</summary>
    public ForwardPass Forward { get; }

    /// <summary>The layouts of the run's passes.</summary>
    public PassShapes Shapes { get; }

    /// <summary>All items of the run.</summary>
    public IReadOnlyList<PromptPair> Pairs { get; }

    /// <summary>The positions of each item that are run.</summary>
    public PromptSpan[] Spans { get; }

    /// <summary>The spans of the items' tokens; null where no spans are told apart.</summary>
    public SpanTable? Positions { get; }

    /// <summary>How many scores edges have: [F, K], or as many as there are numbers of edges between spans.</summary>
    public long ScoreCells => Positions?.Graph.Cells ?? ((long)Graph.Writers * Graph.Readers);

    /// <summary>The batches.</summary>
    public BatchPlan Plan { get; }

    /// <summary>A batch at least as large as any of the plan: what workspaces are made for.</summary>
    public PromptSpan[] Largest { get; }

    /// <summary>What replaces writers' outputs.</summary>
    public Ablation Ablation { get; }

    /// <summary>
    /// Whether ablated inputs change what a pass computes. When patching they are what the corrupted run computes anyway.
    /// </summary>
    public bool AblatedInputsMatter => Ablation != Ablation.Patching;

    /// <summary>Asked between passes.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>Brings a batch to the device.</summary>
    /// <param name="items">Indices of its items.</param>
    /// <returns>The batch; the caller disposes of it.</returns>
    public PairBatch Batch(int[] items) => new(Device, Pairs, items, Spans);

    /// <summary>Tells how far the run is. A run that was cancelled ends here.</summary>
    /// <param name="done">Units of work done.</param>
    /// <param name="total">Units in all.</param>
    /// <param name="stage">What is being done.</param>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public void Report(long done, long total, string stage)
    {
        Cancellation.ThrowIfCancellationRequested();
        _progress?.Report(new RunProgress(done, total, stage) { Plan = Plan.Planned });
    }
}
