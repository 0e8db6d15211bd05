using System.Text.RegularExpressions;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Graph.Exchange;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath convert</c>: scores or circuits in one kind of file in, in another kind out.</summary>
internal static partial class ConvertCommand
{
    private const string Torch = ".pt";

    public static CommandReport Run(ConvertOptions o, Terminal terminal, CancellationToken cancellation)
    {
        string[] inputs = [.. o.In];
        GraphKind to = KindOfOutput(o);
        Check(o, inputs, to);
        CommandReport report = new();
        List<EdgeScores> graphs = [];
        foreach (string input in inputs)
        {
            GraphKind from = KindOfInput(o, input);
            foreach (EdgeScores scores in Read(o, input, from))
            {
                cancellation.ThrowIfCancellationRequested();
                OptionChecks.TakeFrom(input, () =>
                {
                    scores.RequireFinite();
                    return 0;
                });
                GivenFile.WarnOfUnscored(terminal, input, scores);
                report.Plain($"{input} ({from}): {Describe(scores)}");
                graphs.Add(scores);
            }
        }
        if (graphs.Count > 1 && !to.IsFolder)
        {
            string takes = $"holds {graphs.Count} circuits, and a file of {to} takes one";
            throw new GradpathException($"{inputs[0]}: {takes}; convert one of its files.");
        }
        if (o.Cut) graphs = [.. MibFolder.Cut(graphs[0])];
        List<string> lost = [.. GraphContent.Words(graphs.Aggregate(GraphParts.None, (parts, g) => parts | to.Losses(g)))];
        if (inputs.Any(i => File.Exists(i) && PositionalFile.HasPositions(i))) lost.Add("edges between spans, only their sums");
        if (lost.Count > 0) terminal.Warn($"{o.Out}: {to} does not hold {And(lost)}", "note");
        if (to.IsFolder && !FolderName().IsMatch(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(o.Out)))))
            terminal.Remark($"{o.Out}: MIB's folders are called by task and model, such as ioi_gpt2");
        cancellation.ThrowIfCancellationRequested();
        to.Write(o.Out, graphs);
        report.Fact("to", to.Name);
        report.Fact("layers", graphs[0].Graph.Layers);
        report.Fact("heads", graphs[0].Graph.Heads);
        report.Fact("lost", lost);
        report.Data(ReportTable.Of("graphs", graphs)
            .Hidden("is_circuit", g => !g.EdgesInGraph.IsEmpty)
            .Hidden("has_scores", g => !GraphContent.IsCircuitAlone(g))
            .Hidden("n_edges", g => GraphContent.EdgeCount(g))
            .Hidden("unscored", g => g.UnscoredEdges));
        report.Provenance = graphs[0].Provenance?.ToJson();
        report.File("converted", o.Out, $"{to}: {o.Out}{(graphs.Count > 1 ? $", {Sizes.Of(graphs.Count, "circuit")}" : "")}");
        return report;
    }

    private static void Check(ConvertOptions o, string[] inputs, GraphKind to)
    {
        if (inputs.Any(i => i.Length == 0)) throw new UsageException("--in: name a file.");
        if (inputs.Length > 1 && !to.IsFolder)
        {
            GraphKind folder = GraphKinds.All.First(k => k.IsFolder);
            throw new UsageException($"--in: a file of {to} takes one graph; several files go into --to {folder}.");
        }
        if (o.Cut && (!to.IsFolder || inputs.Length > 1))
            throw new UsageException("--cut makes the nine circuits of --to mib of one file.");
        if (to.IsFolder && OutputTarget.Of(o.Out).IsStream) throw new UsageException($"--out {o.Out}: {to} is a folder; name one.");
    }

    private static GraphKind KindOfOutput(ConvertOptions o)
    {
        if (o.To is not null) return Named("to", o.To);
        if (OutputTarget.Of(o.Out).IsStream) return GraphKinds.All[0];
        return GraphKinds.OfFile(o.Out) ?? throw new UsageException(
            $"--out {o.Out}: the name does not say what kind of file to write; end it in {Endings()}, or say --to KIND.");
    }

    private static GraphKind KindOfInput(ConvertOptions o, string input)
    {
        if (o.From is not null) return Named("from", o.From);
        if (Directory.Exists(input)) return GraphKinds.All.First(k => k.IsFolder);
        if (Path.GetExtension(input).Equals(Torch, StringComparison.OrdinalIgnoreCase))
            throw new GradpathException($"{input}: PyTorch's {Torch} files are not read. {ScoreFile.OfTorch(input)}");
        return GraphKinds.OfFile(input)
            ?? throw new UsageException($"--in {input}: the name does not say what kind of file it is; it ends in none of {Endings()}. "
                + $"Say --from KIND: {EnumNames.Choice(GraphKinds.All.Select(k => k.Name))}.");
    }

    private static GraphKind Named(string option, string name) => GraphKinds.Find(name)
        ?? throw new UsageException($"--{option} {name}: {TableNames.Unknown("kind", name, [.. GraphKinds.All.Select(k => k.Name)])}.");

    // A plain .json may be of several kinds.
    private static IReadOnlyList<EdgeScores> Read(ConvertOptions o, string input, GraphKind from)
    {
        try
        {
            return OptionChecks.TakeFrom(input, () => from.Read(input, new GraphShape(o.Layers, o.Heads)));
        }
        catch (GradpathException e) when (o.From is null && from == GraphKinds.All[0] && File.Exists(input))
        {
            string others = EnumNames.Choice(
                GraphKinds.All.Where(k => k.Ending == $".{k}{from.Ending}" && !k.Name.StartsWith(from.Name, StringComparison.Ordinal))
                    .Select(k => k.Name));
            string reason = e.Describe(OptionNames.Of).TrimEnd('.');
            throw new GradpathException($"{reason}. It was read as {from}; --from says otherwise: {others}.", e);
        }
    }

    private static string Describe(EdgeScores scores)
    {
        string all = Sizes.Of(scores.Graph.EdgeCount, "edge");
        return scores.EdgesInGraph.IsEmpty
            ? $"scores of {all}, {scores.Graph}"
            : $"a circuit of {Sizes.Count(GraphContent.EdgeCount(scores))} of {all}, {scores.Graph}"
                + (GraphContent.IsCircuitAlone(scores) ? "" : ", with scores");
    }

    private static string Endings() => EnumNames.Choice(GraphKinds.All.Where(k => !k.IsFolder).Select(k => k.Ending));

    private static string And(List<string> words) =>
        words.Count == 1 ? words[0] : $"{string.Join(", ", words.Take(words.Count - 1))} and {words[^1]}";

    [GeneratedRegex("^[A-Za-z0-9.-]+_[A-Za-z0-9.-]+$")]
    private static partial Regex FolderName();
}
