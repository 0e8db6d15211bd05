using System.Globalization;
using Gradpath.Gpt2Runtime.Statistics;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>What the tests of a circuit make of its metrics.</summary>
/// <param name="plan">The circuits.</param>
/// <param name="runs">Their metrics.</param>
/// <param name="options">The tests, their level and their draws.</param>
/// <param name="lossSign">1 where less of the metric is better, else -1.</param>
/// <param name="cancellation">Stops the work between permutations.</param>
internal sealed class CircuitTestStatistics(
    CircuitTestPlan plan, CircuitMetrics runs, CircuitTestOptions options, int lossSign, CancellationToken cancellation)
{
    // The kernels are items x items, and a simulation runs the test a hundred times.
    private const int MostItems = 2000;
    private const int MostSimulatedItems = 200;
    private const int Simulations = 100;
    private const double Correlation = 0.5;
    private const double Rounding = 1e-5;

    private readonly IReadOnlyList<double> _circuit = CircuitTestPlan.Circuit(runs);
    private readonly IReadOnlyList<double> _complement = CircuitTestPlan.Complement(runs);

    /// <summary>All results.</summary>
    public CircuitTests Finish()
    {
        double[] inflated = [.. plan.Inflated(runs).Select(p => Change(p.With, p.Without))];
        CircuitTestEdge[] edges = Edges(inflated);
        double faithfulness = FaithfulnessOf(_circuit), damage = 1 - FaithfulnessOf(_complement);
        double[] random = [.. plan.Random(runs).Select(FaithfulnessOf)];
        double[] randomDamage = [.. plan.WithoutRandom(runs).Select(m => 1 - FaithfulnessOf(m))];
        if (double.IsNaN(faithfulness) && random.Length + randomDamage.Length > 0)
        {
            throw new GradpathException(
                "there is no faithfulness: on these prompts the full model does exactly as well as the empty circuit.");
        }
        return new CircuitTests(
            [.. Enum.GetValues<CircuitTestKind>().Where(options.Tests.Contains).Select(kind => kind switch
            {
                CircuitTestKind.Equivalence => Equivalence(),
                CircuitTestKind.NonEquivalence => NonEquivalence(),
                CircuitTestKind.Independence => Independence(),
                CircuitTestKind.Minimality => Minimality(edges, inflated),
                CircuitTestKind.Sufficiency => Rank(
                    kind, "the circuit is no more faithful than random circuits of as many edges", "faithfulness", faithfulness, random),
                _ => Rank(
                    kind, "without the circuit the model loses no more than without random circuits of as many edges",
                    "share of the metric that is lost", damage, randomDamage),
            })],
            edges, inflated, faithfulness, random, damage, randomDamage, runs.BatchSize, runs.PeakDeviceBytes);
    }

    private int Items => _circuit.Count;

    // Differences that are rounding are ties: a circuit of all edges computes what the full model does in another order.
    private double Wins
    {
        get
        {
            double rounding = Rounding * runs.Full.Max(Math.Abs);
            return Enumerable.Range(0, Items).Select(i => lossSign * (runs.Full[i] - _circuit[i]))
                .Sum(better => Math.Abs(better) <= rounding ? 0.5 : better > 0 ? 1 : 0);
        }
    }

    private CircuitTestResult Equivalence()
    {
        double far = (1.5 + options.Tolerance) / 2;
        return new CircuitTestResult(
            CircuitTestKind.Equivalence,
            $"circuit and full model do better than each other equally often: |P(circuit better) - 1/2| <= {Text(options.Tolerance)}",
            "share of prompt pairs where the circuit does better, ties as halves", Wins / Items,
            SignTest.DifferenceP(Items, Wins, options.Tolerance), Items, 0, options.Alpha)
        {
            Power = SignTest.DifferencePower(Items, options.Tolerance, options.Alpha, far),
            Alternative = $"one of them does better on {Text(100 * far)} % of prompts",
            SmallestP = SignTest.DifferenceP(Items, 0, options.Tolerance),
        };
    }

    private CircuitTestResult NonEquivalence() => new(
        CircuitTestKind.NonEquivalence,
        $"one of circuit and full model does better more often: |P(circuit better) - 1/2| >= {Text(options.Tolerance)}",
        "share of prompt pairs where the circuit does better, ties as halves", Wins / Items,
        SignTest.EquivalenceP(Items, Wins, options.Tolerance), Items, 0, options.Alpha)
    {
        Power = SignTest.EquivalencePower(Items, options.Tolerance, options.Alpha, 0.5),
        Alternative = "each does better on half of the prompts",
        SmallestP = SignTest.EquivalenceP(Items, Items / 2.0, options.Tolerance),
    };

    private CircuitTestResult Independence()
    {
        int items = Math.Min(Items, MostItems);
        var test = IndependenceTest.Run(
            [.. _complement.Take(items)], [.. runs.Full.Take(items)], options.Permutations, plan.Stream(3, 0), cancellation);
        int simulated = Math.Min(items, MostSimulatedItems);
        int permutations = Math.Max(99, (int)Math.Ceiling(1 / options.Alpha) - 1);
        return new CircuitTestResult(
            CircuitTestKind.Independence,
            "the metric of the model without the circuit is independent of the full model's",
            "Hilbert-Schmidt independence criterion", test.Statistic, test.PValue, items, options.Permutations, options.Alpha)
        {
            Power = IndependenceTest.Power(
                simulated, Correlation, options.Alpha, Simulations, permutations, plan.Stream(4, 0), cancellation),
            Alternative = $"two normal variables of correlation {Text(Correlation)}, {simulated} prompts, {Simulations} simulations",
            SmallestP = RankTest.SmallestP(options.Permutations),
        };
    }

    // That every edge is needed is shown where the least of them is: no p-value needs a correction for that.
    private CircuitTestResult Minimality(CircuitTestEdge[] edges, double[] inflated) => new(
        CircuitTestKind.Minimality,
        "at least one of the tested edges, taken out of the circuit, changes the metric no more than a random edge that was added to it",
        "share of the tested edges that, taken out, change the metric more than nearly all such random edges do",
        edges.Count(e => e.Needed) / (double)edges.Length, edges.Max(e => e.PValue), edges.Length, inflated.Length, options.Alpha)
    {
        SmallestP = RankTest.SmallestP(inflated.Length),
    };

    private CircuitTestResult Rank(CircuitTestKind kind, string hypothesis, string name, double value, double[] draws) => new(
        kind, hypothesis, name, value, RankTest.PValue(value, draws), Items, draws.Length, options.Alpha)
    {
        SmallestP = RankTest.SmallestP(draws.Length),
    };

    private CircuitTestEdge[] Edges(double[] inflated)
    {
        double[] changes = [.. plan.WithoutEdge(runs).Select(m => Change(_circuit, m))];
        double[] p = Array.ConvertAll(changes, c => RankTest.PValue(c, inflated));
        IReadOnlyList<double> discovered = MultipleTesting.BenjaminiHochberg(p), holm = MultipleTesting.Holm(p);
        IReadOnlyList<double> decides = MultipleTesting.Adjust(p, options.Correction);
        return
        [
            .. plan.Edges.Select((e, i) =>
                new CircuitTestEdge(e.Row, e.Column, changes[i], p[i], discovered[i], holm[i], decides[i] <= options.Alpha))
                .OrderByDescending(e => e.Change),
        ];
    }

    private double FaithfulnessOf(IReadOnlyList<double> metric) => Faithfulness.Of([.. runs.Full], [.. metric], [.. runs.Empty]);

    private static double Change(IReadOnlyList<double> before, IReadOnlyList<double> after) =>
        before.Zip(after, (a, b) => Math.Abs(a - b)).Average();

    private static string Text(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);
}
