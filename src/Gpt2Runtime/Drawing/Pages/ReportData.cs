using System.Globalization;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Drawing;

/// <summary>What a report shows. Nothing else goes into the page, so the same data gives the same bytes.</summary>
/// <param name="Title">The heading.</param>
/// <param name="Methods">At least one; all of one model's graph.</param>
internal sealed record ReportData(string Title, IReadOnlyList<ReportMethod> Methods)
{
    /// <summary>What a reader should know first, as names and values.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Facts { get; init; } = [];

    /// <summary>Training logs of methods that are not among these.</summary>
    public IReadOnlyList<TrainingLog> Logs { get; init; } = [];

    /// <summary>Number of edges that the graph shows at first.</summary>
    public int Top { get; init; } = 100;

    /// <summary>Whether the page holds the graph alone.</summary>
    public bool GraphOnly { get; init; }

    /// <summary>Whether the graph shows at first the circuit that the scores' file marks, instead of the strongest edges.</summary>
    public bool StartWithCircuit { get; init; }

    /// <summary>The graph of all methods.</summary>
    public ComputationGraph Graph => Methods[0].Scores.Graph;

    /// <summary>Further sections, as HTML, in front of how to read a score.</summary>
    public IReadOnlyList<string> Sections { get; init; } = [];

    /// <summary>The heading where none is given: what all agree on.</summary>
    public static string DefaultTitle(params Provenance?[] made) => (Shared(made, p => p.Task), Shared(made, p => p.Model)) switch
    {
        ({ } task, { } model) => $"Circuit of {task} in {model}",
        (null, { } model) => $"Circuit in {model}",
        ({ } task, null) => $"Circuit of {task}",
        _ => "Circuit",
    };

    /// <summary>A report of some methods, with the facts of their provenance; where they differ, with each one's.</summary>
    public static ReportData Of(string title, IReadOnlyList<ReportMethod> methods)
    {
        ReportData data = new(title, methods);
        data.Check();
        List<KeyValuePair<string, string>> facts = [];
        void Add(string name, Func<Provenance, string?> value)
        {
            string?[] values = [.. methods.Select(m => m.Scores.Provenance is { } p ? value(p) : null)];
            if (values.All(string.IsNullOrEmpty)) return;
            bool shared = values.Distinct().Count() == 1;
            facts.Add(new(name, shared ? values[0]! : string.Join("; ", methods.Zip(values, (m, v) => $"{m.Name}: {v ?? "not stated"}"))));
        }
        Add("model", p => p.Model);
        facts.Add(new("graph", $"{data.Graph}, {Count(data.Graph.EdgeCount)} edges"));
        Add("task", p => p.Task);
        Add("prompt pairs", p => p.Items is { } items ? Count(items) : null);
        Add("metric", p => p.Metric);
        Add("device", p => p.Device);
        return data with { Facts = facts };
    }

    /// <summary>Refuses what a page cannot show.</summary>
    /// <exception cref="GradpathException">There is no method, two share a name or differ in their graph, the graph is too large, or a
    /// number is not finite.</exception>
    public void Check()
    {
        if (Methods.Count == 0) throw new GradpathException("a report needs the scores of at least one method.");
        if (Graph.EdgeCount > MostEdges)
            throw new GradpathException(
                $"a report holds at most {Count(MostEdges)} edges; this graph has {Count(Graph.EdgeCount)}.");
        foreach (TrainingLog log in Logs) CheckTraining(log.Name, log.Steps);
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (ReportMethod method in Methods)
        {
            if (!names.Add(method.Name)) throw new GradpathException($"two methods of the report are called '{method.Name}'.");
            if (!method.Scores.Graph.Equals(Graph))
                throw new GradpathException($"the scores of {method.Name} belong to {method.Scores.Graph}, those of {Methods[0].Name} to "
                    + $"{Graph}: a report shows one model.");
            method.Scores.RequireFinite();
            if ((method.EmbeddingPath ?? []).Any(p => !double.IsFinite(p.GradientNorm) || !double.IsFinite(p.OutputDistance)))
                throw new GradpathException($"the path of {method.Name} holds a number that is not finite.");
            CheckTraining(method.Name, method.Training ?? []);
            foreach (CurvePoint p in method.Curve ?? [])
            {
                if (p.Fraction is not > 0 || !double.IsFinite(p.Fraction + p.Faithfulness + (p.Low ?? 0) + (p.High ?? 0)))
                    throw new GradpathException($"the curve of {method.Name} has a point at fraction {p.Fraction} that cannot be shown: "
                        + "fractions are above 0, numbers finite.");
            }
        }
    }

    private static string Count(int number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string? Shared(Provenance?[] made, Func<Provenance, string?> value)
    {
        string?[] values = [.. made.Select(p => p is null ? null : value(p)).Distinct()];
        return values is [var one] ? one : null;
    }

    private static void CheckTraining(string name, IReadOnlyList<EdgePruningStep> steps)
    {
        if (steps.Any(t => !double.IsFinite(t.Kl + t.EdgeLoss + t.NodeLoss + t.EdgeTarget + t.EdgeSparsity)))
            throw new GradpathException($"the training of {name} holds a number that is not finite.");
    }

    // The page ranks edges by one number of 53 bits, 22 of which name the edge.
    private const int MostEdges = 1 << 22;
}
