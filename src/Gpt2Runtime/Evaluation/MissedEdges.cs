using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Statistics;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>
/// How strong an edge may be that a ranking has missed: random subsets of the edges outside its strongest ones are ablated together, and
/// from the changes of the loss <see cref="SubsetScreen"/> bounds the effect of each. An edge's effect is the mean change that it adds to
/// that of a random subset, which is its effect alone where effects add up.
/// </summary>
/// <param name="LeftOut">The edges outside the strongest, in the order of the graph.</param>
/// <param name="Effects">Per subset the rise of the mean loss.</param>
/// <param name="Screen">What they say of every edge left out.</param>
/// <param name="Gap">The rise of the mean loss with all edges ablated.</param>
/// <param name="Options">How it was done, with the number of edges found in place.</param>
/// <param name="BatchSize">The number of pairs per batch that was used.</param>
/// <param name="PeakDeviceBytes">Largest amount of device memory in use during the run.</param>
public sealed record MissedEdges(
    IReadOnlyList<(int Row, int Column)> LeftOut,
    IReadOnlyList<double> Effects,
    SubsetScreen Screen,
    double Gap,
    MissedEdgesOptions Options,
    int BatchSize,
    long PeakDeviceBytes)
{
    /// <summary>The effect that no edge left out exceeds, with confidence <see cref="MissedEdgesOptions.Level"/>.</summary>
    public double Limit { get; } = Screen.Limit(Options.Level);

    /// <summary>Measures random subsets.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs.</param>
    /// <param name="scores">The ranking, by |score|.</param>
    /// <param name="options">Subsets and evaluation.</param>
    /// <param name="progress">Told after each pass; may be null.</param>
    /// <param name="cancellation">Stops the run between passes.</param>
    /// <returns>The effects and what follows from them.</returns>
    /// <exception cref="OptionException">An option cannot be used.</exception>
    /// <exception cref="GradpathException">An item or the scores cannot be used.</exception>
    /// <exception cref="OperationCanceledException">The run was stopped.</exception>
    public static MissedEdges Measure(
        Gpt2Weights model,
        PromptSet prompts,
        EdgeScores scores,
        MissedEdgesOptions options,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(scores);
        ArgumentNullException.ThrowIfNull(options);
        scores.RequireModel(model.Config, "the scores");
        ComputationGraph graph = scores.Graph;
        options.Check(graph);
        int found = options.FoundOf(graph);
        Circuit strongest = CircuitSelection.TopEdges(scores, found);
        (int Row, int Column)[] leftOut = [.. RandomCircuits.Complement(strongest).Edges];
        IReadOnlyList<bool[]> has = SubsetScreen.Draw(leftOut.Length, options.Checks, options.Each, options.Seed, cancellation);
        var runs = CircuitMetrics.Of(model, prompts, options.Checks, Without, options.Evaluation, progress, cancellation);
        Metric metric = options.Evaluation.Metric ?? prompts.Metric;
        double full = runs.Full.Average();
        double Rise(IReadOnlyList<double> values) => metric.LossSign * (values.Average() - full);
        double[] effects = [.. runs.Circuits.Select(Rise)];
        return new MissedEdges(
            leftOut, effects, SubsetScreen.Of(has, effects), Rise(runs.Empty), options with { Found = found }, runs.BatchSize,
            runs.PeakDeviceBytes);

        Circuit Without(int check) => RandomCircuits.Complement(Circuit.Of(graph, leftOut.Where((_, e) => has[check][e])));
    }
}
