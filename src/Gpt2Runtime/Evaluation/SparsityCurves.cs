using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>Both rankings of one scores matrix, with the measures of the MIB circuit benchmark (Mueller et al., 2025).</summary>
/// <param name="ByScore">Ranked by score.</param>
/// <param name="ByMagnitude">Ranked by absolute score.</param>
public sealed record SparsityCurves(SparsityCurve ByScore, SparsityCurve ByMagnitude)
{
    /// <summary>CPR: the area under f with signed ranking. Higher is better; it may exceed 1.</summary>
    public double Cpr => ByScore.Area;

    /// <summary>CMD: the area under |1 - f| with absolute ranking. Lower is better.</summary>
    public double Cmd => ByMagnitude.AreaFromFull;

    /// <summary>
    /// Measures the curves of one or more methods in one run, which evaluates circuits that several of them select only once.
    /// </summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs; within one both prompts have the same length.</param>
    /// <param name="methods">Scores of this model.</param>
    /// <param name="options">Sizes, selection, and how circuits are evaluated.</param>
    /// <param name="progress">Told after each pass; may be null.</param>
    /// <param name="cancellation">Stops the run between passes.</param>
    /// <returns>One pair of curves per method, and the evaluation that they come from.</returns>
    /// <exception cref="OptionException">A fraction cannot be used.</exception>
    /// <exception cref="GradpathException">A score or an item cannot be used.</exception>
    public static (IReadOnlyList<SparsityCurves> Curves, EvaluationResult Evaluation) Measure(
        Gpt2Weights model,
        PromptSet prompts,
        IReadOnlyList<EdgeScores> methods,
        SparsityOptions options,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(methods);
        ArgumentNullException.ThrowIfNull(options);
        foreach (EdgeScores scores in methods) scores.RequireModel(model.Config, "the scores");
        double[] fractions = [.. options.Fractions.Distinct().Order()];
        if (fractions.Length == 0) throw new OptionException($"a curve needs at least one fraction");
        if (fractions.FirstOrDefault(p => !(p is > 0 and <= 1), 1) is var wrong and not 1)
            throw new OptionException($"a fraction of the edges must be above 0 and at most 1, not {wrong}");

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
        EvaluationResult result = CircuitEvaluation.Evaluate(model, prompts, distinct, options.Evaluation, progress, cancellation);
        (double Of, double Low, double High)[] measured = [.. result.Circuits.Select(c =>
        {
            (double low, double high) = Faithfulness.Interval(result.Full, c, result.Empty, seed: options.Seed);
            return (Faithfulness.Of(result.Full, c, result.Empty), low, high);
        })];
        SparsityCurve Curve(int first, bool bySign) => new(bySign, [.. fractions.Select((fraction, i) =>
        {
            (Circuit circuit, int place) = wanted[first + i];
            return new SparsityPoint(
                fraction, circuit.EdgesBeforePrune, circuit.EdgeCount, measured[place].Of, measured[place].Low, measured[place].High);
        })]);
        SparsityCurves[] curves = [.. Enumerable.Range(0, methods.Count).Select(m =>
            new SparsityCurves(Curve(2 * m * fractions.Length, true), Curve(((2 * m) + 1) * fractions.Length, false)))];
        return (curves, result);
    }
}
