using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Drawing;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Reports.Pages;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath draw</c>: one circuit in, one drawing out.</summary>
internal static class DrawCommand
{
    private const int DefaultTopN = CircuitDrawing.DefaultTop;

    public static CommandReport Run(DrawOptions o, Terminal terminal, CancellationToken cancellation)
    {
        string format = AtomicFile.Extension(o.Out, ofStreams: ".svg");
        if (o.Circuit is null == o.Scores is null) throw new UsageException("give either --circuit or --scores.");
        if (o.Circuit is not null && o.TopN is not null)
            throw new UsageException("--top-n goes with --scores; --circuit draws the circuit that its file marks.");

        Circuit circuit = o.Circuit is { } file
            ? Circuit.Load(file)
            : Select(GivenFile.Scores(o.Scores!, terminal), o);
        EmptyCircuits.Warn(terminal, o.Circuit ?? o.Scores!, circuit);
        cancellation.ThrowIfCancellationRequested();
        if (format == ".html") HtmlReport.Write(o.Out, Page(circuit, o));
        else AtomicFile.Write(o.Out, format == ".svg" ? CircuitDrawing.Svg(circuit, o.Title) : CircuitDrawing.Dot(circuit, o.Title));
        string before = circuit.EdgesBeforePrune > circuit.EdgeCount ? $" of {Sizes.Count(circuit.EdgesBeforePrune)} before pruning" : "";
        CommandReport report = new() { Provenance = circuit.Provenance?.ToJson() };
        report.Fact("n_edges", circuit.EdgeCount);
        report.Fact("n_edges_before_prune", circuit.EdgesBeforePrune);
        report.Fact("n_nodes", circuit.NodeCount);
        report.File("drawing", o.Out, $"{Sizes.Of(circuit.EdgeCount, "edge")}{before}, {Sizes.Of(circuit.NodeCount, "node")}: {o.Out}");
        return report;
    }

    private static Circuit Select(EdgeScores scores, DrawOptions o)
    {
        int edges = scores.Graph.EdgeCount;
        OptionChecks.AtMost("top-n", o.TopN, edges, $"{o.Scores} scores {Sizes.Of(edges, "edge")}");
        return OptionChecks.TakeFrom(
            o.Scores!, () => CircuitPruning.Prune(CircuitSelection.TopEdges(scores, o.TopN ?? Math.Min(DefaultTopN, edges))));
    }

    private static ReportData Page(Circuit circuit, DrawOptions o)
    {
        string name = circuit.Scores!.Provenance?.Method ?? Path.GetFileNameWithoutExtension(o.Circuit ?? o.Scores)!;
        return CircuitDrawing.Page(circuit, o.Title, o.TopN ?? DefaultTopN, o.Circuit is not null, name);
    }
}
