using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Options;
using Gradpath.Host.Reports.Tables;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary>
/// <c>gradpath compare</c>: precision, recall and the like for a circuit; ROC for scores; matrices for many files.
/// </summary>
internal static class CompareCommand
{
    public static CommandReport Run(CompareOptions o, Terminal terminal, CancellationToken cancellation)
    {
        if (o.Files.Any()) return Matrices(o, terminal, cancellation);
        string? onlyOfFiles = o.TopN is not null ? "top-n" : o.Signed ? "signed" : o.Out is not null ? "out"
            : o.Table is not null ? "table" : o.Picture is not null ? "picture" : null;
        if (onlyOfFiles is not null) throw new UsageException($"--{onlyOfFiles} goes with --files, which compares many.");
        if (o.Circuit is null == o.Scores is null) throw new UsageException("say what to compare: --circuit or --scores, or many --files.");
        if (o.Roc is not null && o.Scores is null) throw new UsageException("--roc does not apply to --circuit; --scores takes it.");
        if (o.With is null) throw new UsageException("--with is needed: --with CIRCUIT.");

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
        EdgeScores scores = GivenFile.Scores(o.Scores!, terminal);
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

    private static CommandReport Matrices(CompareOptions o, Terminal terminal, CancellationToken cancellation)
    {
        if ((o.Circuit ?? o.Scores ?? o.With ?? o.Roc) is not null)
        {
            throw new UsageException(
                "--files compares files with each other; --circuit, --scores, --with and --roc compare one with another.");
        }
        if (o.Files.Any(f => f.Length == 0)) throw new UsageException("--files: name files.");
        if (o.Files.Count() < 2) throw new UsageException($"--files {o.Files.First()}: name two or more.");
        ComparedFile[] files = ComparedFile.Read(o, terminal);
        if (Array.Find(files, f => f.Circuit is null) is { } open && Array.Exists(files, f => f.Circuit is not null))
            terminal.Remark($"{open.Path} marks no circuit, so that edges are not compared with it; --top-n cuts one from its scores");
        FileMatrices matrices = FileMatrices.Of(files, o.Signed, o.WithoutMlps, cancellation);
        CommandReport report = new();
        report.Fact("signed", o.Signed);
        report.Fact("without_mlps", o.WithoutMlps);
        FileMatricesReport.Describe(report, matrices);
        if (o.Out is not null) FileMatricesReport.WriteJson(o.Out, matrices);
        if (o.Table is not null) FileMatricesReport.WriteCsv(o.Table, matrices);
        if (o.Picture is not null) FileMatricesReport.Draw(o.Picture, matrices);
        report.File("matrices", o.Out);
        report.File("table", o.Table);
        report.File("picture", o.Picture);
        return report;
    }
}
