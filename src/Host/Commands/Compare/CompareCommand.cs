using CommandLine;
using CommandLine.Text;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Options;
using Gradpath.Host.Reports;
using Gradpath.Host.Reports.Tables;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath compare</c>.</summary>
[Verb("compare", HelpText = "Compare a circuit, or edge scores, with another circuit or one found by hand.")]
internal sealed class CompareOptions : CommandOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Option("circuit", MetaValue = "FILE", HelpText = "The circuit to judge: a file of 'gradpath circuit' or of the EAP-IG library.")]
    public string? Circuit { get; set; }

    [Option("scores", MetaValue = "FILE", HelpText = "Edge scores to judge, at every threshold of |score|.")]
    public string? Scores { get; set; }

    [Option("with", Required = true, MetaValue = "CIRCUIT", HelpText = "What to judge by: a circuit's file, or ioi or greater-than, the circuits of GPT-2 small that were found by hand.")]
    public string With { get; set; } = "";

    [Option("without-mlps", HelpText = "Leave MLPs and all their edges out.")]
    public bool WithoutMlps { get; set; }

    [Option("roc", MetaValue = "FILE.csv", HelpText = "With --scores: write every point of the curve.")]
    public string? Roc { get; set; }

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("A circuit with another one", s_short, new CompareOptions { Circuit = "circuit.json", With = "other.json" }),
        new("Scores of GPT-2 small with the IOI circuit of Wang et al.", s_short, new CompareOptions { Scores = "scores.json", With = "ioi" }),
    ];
}

/// <summary><c>gradpath compare</c>: precision, recall and the like for a circuit; ROC for scores.</summary>
internal static class CompareCommand
{
    public static int Run(CompareOptions o, Terminal terminal)
    {
        if (o.Circuit is null == o.Scores is null) throw new UsageException("say what to compare: --circuit or --scores.");
        if (o.Roc is not null && o.Scores is null) throw new UsageException("--roc does not apply to --circuit; --scores takes it.");
        if (o.Roc is not null) RocReport.RequireWritable(o.Roc);

        Circuit truth = Truth("with", o.With);
        string scope = o.WithoutMlps ? ", MLPs left out" : "";
        if (o.Circuit is not null)
        {
            GroundTruthOverlap overlap = GroundTruthOverlap.Compare(CircuitFile.Read(o.Circuit), truth, o.WithoutMlps);
            terminal.Out.WriteLine($"{o.Circuit} judged by {o.With}{scope}");
            OverlapTable.Print(terminal, overlap);
            return ExitCode.Success;
        }
        RocCurve curve = RocCurve.Of(ScoreFile.Read(o.Scores!), truth, o.WithoutMlps);
        if (o.Roc is not null) RocReport.Write(o.Roc, curve);
        terminal.Out.WriteLine($"{o.Scores} judged by {o.With}{scope}: {Sizes.Count(curve.Positives)} of {Sizes.Count(curve.Positives + curve.Negatives)} edges");
        RocReport.Print(terminal, curve);
        if (o.Roc is not null) terminal.Out.WriteLine($"curve: {o.Roc}");
        return ExitCode.Success;
    }

    /// <summary>The circuit that an option names: one found by hand, or a file.</summary>
    /// <exception cref="UsageException">It names neither.</exception>
    public static Circuit Truth(string option, string with)
    {
        if (GroundTruth.Find(with) is { } truth) return truth.Circuit;
        if (!File.Exists(with) && Path.GetExtension(with).Length == 0)
        {
            throw new UsageException(
                $"--{option} {with}: neither a file nor a circuit found by hand; of these there are {string.Join(" and ", GroundTruth.All.Select(t => t.Name))}.");
        }
        return CircuitFile.Read(with);
    }
}
