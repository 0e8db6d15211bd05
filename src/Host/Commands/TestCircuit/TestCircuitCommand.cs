using System.Globalization;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Reports;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath test-circuit</c>: a circuit, a model and prompts in, tests of hypotheses about the circuit out.</summary>
internal static class TestCircuitCommand
{
    private const int MostEdgesShown = 20;

    public static CommandReport Run(TestCircuitOptions o, Terminal terminal, CancellationToken cancellation)
    {
        o.CheckShared();
        CircuitTestOptions settings = o.Settings();
        Circuit circuit = Circuit.Load(o.Circuit);
        GivenFile given = GivenFile.Of(o.Circuit, circuit);
        using var session = EvaluationSession.Open(o, [given], terminal, cancellation);
        settings = settings with { Evaluation = session.Options };
        session.Clock.Start("passes");
        CircuitTests tests = ScoringProgress.Run(
            terminal, "test-circuit", progress => CircuitTests.Run(
                session.Weights, session.Prompts, circuit, settings, progress, cancellation));
        cancellation.ThrowIfCancellationRequested();
        session.Clock.Start("write");
        JsonObject made = session.ProvenanceJson(tests.BatchSize, given);
        made["options"] = TestCircuitJson.Options(settings);
        if (o.Out is not null) ResultJson.Write(o.Out, TestCircuitJson.Of(circuit, tests, settings, made));
        if (o.Table is not null) TestCircuitCsv.Write(o.Table, circuit, tests, session.Provenance(tests.BatchSize), settings);
        if (o.Picture is not null)
            AtomicFile.Write(o.Picture, TestCircuitPicture.Draw(tests, $"Tests of a circuit: {session.Prompts.Task}"));
        session.Clock.Stop();

        CommandReport report = new();
        Describe(report, circuit, tests, settings);
        report.Provenance = made;
        session.Describe(report, tests.BatchSize, tests.PeakDeviceBytes);
        report.File("tests", o.Out);
        report.File("table", o.Table);
        report.File("picture", o.Picture);
        return report;
    }

    private static void Describe(CommandReport report, Circuit circuit, CircuitTests tests, CircuitTestOptions settings)
    {
        report.Line($"circuit: {Sizes.Count(circuit.EdgeCount)} of {Sizes.Of(circuit.Graph.EdgeCount, "edge")}, "
            + $"{Sizes.Count(circuit.NodeCount)} of {Sizes.Of(circuit.Graph.Writers, "node")}; level {Text(settings.Alpha)}, "
            + $"seed {settings.Seed}",
            ("n_edges", circuit.EdgeCount), ("n_nodes", circuit.NodeCount), ("n_edges_graph", circuit.Graph.EdgeCount),
            ("n_nodes_graph", circuit.Graph.Writers), ("alpha", settings.Alpha), ("seed", settings.Seed),
            ("faithfulness", tests.Faithfulness), ("damage", tests.Damage));
        report.Table(TestsTable(tests, settings));
        foreach (CircuitTestResult test in tests.Results) report.Plain(InWords(test));
        if (tests.Edges.Count > 0)
        {
            report.Show(EdgesTable(circuit, tests.Edges.Take(MostEdgesShown)));
            report.Data(EdgesTable(circuit, tests.Edges));
            int needed = tests.Edges.Count(e => e.Needed), more = tests.Edges.Count - MostEdgesShown;
            string leftOut = more > 0 ? $"; the table leaves out the {Sizes.Count(more)} least" : "";
            string all = tests.Edges.Count == circuit.EdgeCount ? "of the circuit" : "tested";
            report.Line($"needed: {Sizes.Count(needed)} of the {Sizes.Of(tests.Edges.Count, "edge")} {all}, those whose p, adjusted "
                + $"by {EnumNames.Of(settings.Correction)}, is at most {Text(settings.Alpha)}{leftOut}",
                ("edges_tested", tests.Edges.Count), ("edges_needed", needed), ("correction", EnumNames.Of(settings.Correction)));
        }
        if (tests.Edges.Count > 0)
        {
            report.Note("Minimality takes each edge out of the circuit and measures the mean change of the metric. An edge is needed where "
                + "that is more than nearly all random edges change, each added to the circuit and taken out again; where this is not "
                + "shown, the edge may be needed or not.");
        }
        Distribution[] distributions = [.. Distribution.Of(tests)];
        if (distributions.Length > 0)
        {
            report.Table(ReportTable.Of("distributions", distributions)
                .Text("of random circuits", "of", d => d.Name)
                .Number("circuit", "circuit", d => d.Circuit)
                .Number("mean", "mean", d => d.Values.Average())
                .Number("5 %", "q05", d => d.Quantile(0.05))
                .Number("median", "median", d => d.Quantile(0.5))
                .Number("95 %", "q95", d => d.Quantile(0.95))
                .Number("largest", "largest", d => d.Values.Max()));
        }
        AddNotes(report, tests, settings);
    }

    private static ReportTableOf<CircuitTestResult> TestsTable(CircuitTests tests, CircuitTestOptions settings) =>
        ReportTable.Of("tests", tests.Results)
            .Text("test", "test", t => EnumNames.Of(t.Kind))
            .Number("statistic", "statistic", t => t.Statistic)
            .Number("p", "p_value", t => t.PValue)
            .Column("n", "items", t => t.Items, t => Sizes.Of(t.Items, t.Kind == CircuitTestKind.Minimality ? "edge" : "pair"))
            .Count("draws", "draws", t => t.Draws)
            .Ratio("power", "power", t => t.Power)
            .Column("null hypothesis", "rejected", t => t.Rejected, t => t.Rejected ? "rejected" : "stands", right: false)
            .Column("says", "evidence", t => EnumNames.Of(t.Evidence), t => Says(t.Evidence), right: false)
            .Hidden("null_hypothesis", t => t.Null)
            .Hidden("statistic_name", t => t.StatisticName)
            .Hidden("alternative", t => t.Alternative.Length > 0 ? t.Alternative : null)
            .Hidden("smallest_p", t => t.SmallestP)
            .Hidden("alpha", t => t.Alpha)
            .Hidden("seed", _ => settings.Seed)
            .Hidden("correction", t => TestCircuitJson.Correction(t, settings));

    private static ReportTableOf<CircuitTestEdge> EdgesTable(Circuit circuit, IEnumerable<CircuitTestEdge> edges) =>
        ReportTable.Of("edges", edges)
            .Text("edge", "edge", e => circuit.Graph.EdgeName(e.Row, e.Column))
            .Number("change", "change", e => e.Change)
            .Number("p", "p_value", e => e.PValue)
            .Number("Benjamini-Hochberg", "p_benjamini_hochberg", e => e.BenjaminiHochberg)
            .Number("Holm", "p_holm", e => e.Holm)
            .Column("needed", "needed", e => e.Needed, e => e.Needed ? "yes" : "not shown", right: false);

    private static string InWords(CircuitTestResult test)
    {
        string reach = double.IsNaN(test.Power)
            ? $"smallest p that {Sizes.Of(test.Draws, "draw")} can give: {Sizes.Number(test.SmallestP)}"
            : $"power {Sizes.Ratio(test.Power)} where {test.Alternative}";
        return $"{EnumNames.Of(test.Kind)}: H0: {test.Null}. Statistic: {test.StatisticName}; {reach}.";
    }

    private static void AddNotes(CommandReport report, CircuitTests tests, CircuitTestOptions settings)
    {
        report.Note("A null hypothesis that stands shows nothing. P-values are not corrected for one another, but those of edges are.");
        foreach (CircuitTestResult test in tests.Results.Where(t => t.SmallestP > t.Alpha))
        {
            string more = test.Draws == 0 ? "prompts" : test.Kind == CircuitTestKind.Independence ? "--permutations" : "--random";
            report.Note($"{EnumNames.Of(test.Kind)} cannot be rejected at {Text(test.Alpha)}: the smallest p-value is "
                + $"{Sizes.Number(test.SmallestP)}; it takes more {more}.");
        }
        double best = RankLimit(tests, settings);
        if (tests.Edges.Count > 0 && settings.Correction == Gpt2Runtime.Statistics.Correction.Holm && best > settings.Alpha)
        {
            report.Note("Holm's correction finds no edge needed: the smallest adjusted p-value of "
                + $"{Sizes.Of(tests.Edges.Count, "edge")} is {Sizes.Number(Math.Min(1, best))}; it takes --random "
                + $"{Math.Ceiling(tests.Edges.Count / settings.Alpha) - 1:0}.");
        }
    }

    private static double RankLimit(CircuitTests tests, CircuitTestOptions settings) =>
        tests.Edges.Count * Gpt2Runtime.Statistics.RankTest.SmallestP(settings.RandomDraws);

    private static string Says(CircuitEvidence evidence) => evidence switch
    {
        CircuitEvidence.For => "for the circuit",
        CircuitEvidence.Against => "against it",
        _ => "nothing",
    };

    private static string Text(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);
}
