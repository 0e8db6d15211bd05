using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Options;
using Gradpath.Host.Reports.Tables;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath compare</c>: precision, recall and the like for a circuit; ROC for scores.</summary>
internal static class CompareCommand
{
    public static CommandReport Run(CompareOptions o, Terminal terminal, CancellationToken cancellation)
    {
        if (o.Circuit is null == o.Scores is null) throw new UsageException("say what to compare: --circuit or --scores.");
        if (o.Roc is not null && o.Scores is null) throw new UsageException("--roc does not apply to --circuit; --scores takes it.");

        Circuit truth = GroundTruthOption.Read("with", o.With);
        CommandReport report = new();
        report.Fact("with", o.With);
        report.Fact("without_mlps", o.WithoutMlps);
        string scope = o.WithoutMlps ? ", MLPs left out" : "";
        if (o.Circuit is not null)
        {
            Circuit circuit = Circuit.Load(o.Circuit);
            GroundTruthOverlap overlap = GroundTruthOverlap.Compare(circuit, truth, o.WithoutMlps);
            Origins.Compare(terminal, [GivenFile.Of(o.With, truth), GivenFile.Of(o.Circuit, circuit)]);
            EmptyCircuits.Warn(terminal, o.Circuit, circuit);
            report.Line($"{o.Circuit} judged by {o.With}{scope}", ("circuit", o.Circuit));
            report.Table(OverlapTable.Of(overlap));
            return report;
        }
        EdgeScores scores = GivenFile.Scores(o.Scores!);
        RocCurve curve = RocCurve.Of(scores, truth, o.WithoutMlps);
        Origins.Compare(terminal, [GivenFile.Of(o.With, truth), GivenFile.Of(o.Scores!, scores)]);
        cancellation.ThrowIfCancellationRequested();
        if (o.Roc is not null) RocReport.Write(o.Roc, curve);
        report.Line($"{o.Scores} judged by {o.With}{scope}: {Sizes.Count(curve.Positives)} of "
            + $"{Sizes.Of(curve.Positives + curve.Negatives, "edge")}",
            ("scores", o.Scores), ("wanted", curve.Positives), ("n_edges", curve.Positives + curve.Negatives));
        RocReport.Add(report, curve);
        report.File("curve", o.Roc);
        return report;
    }
}
