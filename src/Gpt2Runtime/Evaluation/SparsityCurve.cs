using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>Which circuits a <see cref="SparsityCurve"/> is made of.</summary>
public sealed record SparsityOptions
{
    /// <summary>The fractions of the MIB circuit benchmark.</summary>
    public static IReadOnlyList<double> DefaultFractions { get; } = [.001, .002, .005, .01, .02, .05, .1, .2, .5, 1];

    /// <summary>Shares p of all E edges, above 0 and at most 1; int(p E) edges are selected before pruning.</summary>
    public IReadOnlyList<double> Fractions { get; init; } = DefaultFractions;

    /// <summary>Select with <see cref="CircuitSelection.Greedy"/> instead of <see cref="CircuitSelection.TopEdges"/>.</summary>
    public bool Greedy { get; init; }

    /// <summary>Seed of the intervals' random draws.</summary>
    public ulong Seed { get; init; }
}

/// <summary>One circuit of a curve.</summary>
/// <param name="Fraction">Share of all edges that was asked for.</param>
/// <param name="Edges">Edges selected.</param>
/// <param name="EdgesAfterPrune">Edges that pruning left.</param>
/// <param name="Faithfulness">As <see cref="Evaluation.Faithfulness"/> defines it; NaN where that is undefined.</param>
/// <param name="Low">Lower end of the 95 % bootstrap interval.</param>
/// <param name="High">Upper end of the interval.</param>
public sealed record SparsityPoint(double Fraction, int Edges, int EdgesAfterPrune, double Faithfulness, double Low, double High);

/// <summary>Faithfulness over circuit size for one scores matrix and one ranking.</summary>
/// <param name="BySign">Whether edges were ranked by their score, not its absolute value.</param>
/// <param name="Points">Smallest fraction first.</param>
public sealed record SparsityCurve(bool BySign, IReadOnlyList<SparsityPoint> Points)
{
    /// <summary>The area under the faithfulness f over the requested fractions, by the trapezoid rule; nothing is added below the first.</summary>
    public double Area => Trapezoid(Points, f => f);

    /// <summary>The area under |1 - f|, likewise.</summary>
    public double AreaFromFull => Trapezoid(Points, f => Math.Abs(1 - f));

    private static double Trapezoid(IReadOnlyList<SparsityPoint> points, Func<double, double> height)
    {
        double area = 0;
        for (int i = 1; i < points.Count; i++)
            area += (points[i].Fraction - points[i - 1].Fraction) * (height(points[i].Faithfulness) + height(points[i - 1].Faithfulness)) / 2;
        return area;
    }
}

/// <summary>Both rankings of one scores matrix, with the measures of the MIB circuit benchmark (Mueller et al., 2025).</summary>
/// <param name="ByScore">Ranked by score.</param>
/// <param name="ByMagnitude">Ranked by absolute score.</param>
public sealed record SparsityCurves(SparsityCurve ByScore, SparsityCurve ByMagnitude)
{
    /// <summary>CPR: the area under f with signed ranking. Higher is better; it may exceed 1.</summary>
    public double Cpr => ByScore.Area;

    /// <summary>CMD: the area under |1 - f| with absolute ranking. Lower is better.</summary>
    public double Cmd => ByMagnitude.AreaFromFull;

    /// <summary>Measures the curves of one or more methods in one run, which evaluates circuits that several of them select only once.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="pairs">Items.</param>
    /// <param name="methods">Scores of this model.</param>
    /// <param name="options">Sizes and selection.</param>
    /// <param name="evaluation">Metric, ablation, batch size.</param>
    /// <param name="progress">Told after each pass; may be null.</param>
    /// <param name="cancellation">Stops the run between passes.</param>
    /// <returns>One pair of curves per method, and the evaluation that they come from.</returns>
    /// <exception cref="GradpathException">A fraction, a score or an item cannot be used.</exception>
    public static (IReadOnlyList<SparsityCurves> Curves, EvaluationResult Evaluation) Measure(
        Gpt2Weights model,
        IReadOnlyList<PromptPair> pairs,
        IReadOnlyList<EdgeScores> methods,
        SparsityOptions options,
        EvaluationOptions evaluation,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        foreach (EdgeScores scores in methods) scores.RequireModel(model.Config, "the scores");
        double[] fractions = [.. options.Fractions.Distinct().Order()];
        if (fractions.Length == 0) throw new GradpathException("a curve needs at least one fraction.");
        if (fractions.FirstOrDefault(p => !(p is > 0 and <= 1), 1) is var wrong and not 1)
            throw new GradpathException($"a fraction of the edges must be above 0 and at most 1, not {wrong}.");

        var distinct = new List<Circuit>();
        var wanted = new List<(Circuit Circuit, int Place)>();
        foreach (EdgeScores scores in methods)
        {
            foreach (bool bySign in new[] { true, false })
            {
                foreach (double fraction in fractions)
                {
                    int count = (int)(fraction * scores.Graph.EdgeCount);
                    Circuit circuit = CircuitPruning.Prune(
                        options.Greedy ? CircuitSelection.Greedy(scores, count, bySign) : CircuitSelection.TopEdges(scores, count, bySign));
                    int place = distinct.FindIndex(c => c.EdgeCount == circuit.EdgeCount && c.Membership.SequenceEqual(circuit.Membership));
                    if (place < 0)
                    {
                        place = distinct.Count;
                        distinct.Add(circuit);
                    }
                    wanted.Add((circuit, place));
                }
            }
        }
        EvaluationResult result = CircuitEvaluation.Evaluate(model, pairs, distinct, evaluation, progress, cancellation);
        (double Of, double Low, double High)[] measured = [.. result.Circuits.Select(c =>
        {
            (double low, double high) = Faithfulness.Interval(result.Full.Metric, c.Metric, result.Empty.Metric, seed: options.Seed);
            return (Faithfulness.Of(result.Full.Metric, c.Metric, result.Empty.Metric), low, high);
        })];
        SparsityCurve Curve(int first, bool bySign) => new(bySign, [.. fractions.Select((fraction, i) =>
        {
            (Circuit circuit, int place) = wanted[first + i];
            return new SparsityPoint(fraction, circuit.EdgesBeforePrune, circuit.EdgeCount, measured[place].Of, measured[place].Low, measured[place].High);
        })]);
        SparsityCurves[] curves = [.. Enumerable.Range(0, methods.Count).Select(m =>
            new SparsityCurves(Curve(2 * m * fractions.Length, true), Curve(((2 * m) + 1) * fractions.Length, false)))];
        return (curves, result);
    }
}
