using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Reports;
using Gradpath.Host.Reports.Pictures;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath transfer</c>: a model and tasks in, what their circuits share and do on one another's prompts out.</summary>
internal static class TransferCommand
{
    public static CommandReport Run(TransferCommandOptions o, Terminal terminal, CancellationToken cancellation)
    {
        o.Check();
        string[] names = o.TaskList;
        AttributionMethod method = o.ScoringMethod;
        using var session = EvaluationSession.Open(o, [], terminal, cancellation, _ => o.PromptsOf(names[0]), o.CheckSizes);
        List<(EvaluationSession Find, EvaluationSession Judge, SplitPrompts Prompts)> halves = [];
        foreach (string name in names)
        {
            PromptSet all = name == names[0] ? session.Prompts : session.Load(o.PromptsOf(name), terminal, cancellation);
            SplitPrompts split = Split(all);
            split.WarnOfShared(terminal, $"{name}: ");
            EvaluationSession find = session.On(split.Find);
            Scoring.RequireScores(find.Metric, method, "name another --method or --metric");
            halves.Add((find, session.On(split.Judge), split));
        }
        Scoring.RequireAblation(session.Options.Ablation, method, method.Name, "name another --method");

        session.Clock.Start("score");
        TransferTask[] found = [.. names.Select((name, i) =>
        {
            terminal.Progress.Part = $"task {i + 1} of {names.Length}";
            (EvaluationSession find, EvaluationSession judge, SplitPrompts prompts) = halves[i];
            return new TransferTask(name, judge, prompts, Circuits(o, find, name, method, terminal, cancellation));
        })];
        session.Clock.Start("judge");
        Circuit[] circuits = [.. o.SizeList.SelectMany((edges, size) =>
            found.Select(t => t.Circuits[size]).Concat(Random(o.Random, edges, found[0].Circuits[size].Graph, session.Seed)))];
        TransferTask[] judged = [.. found.Select((task, i) =>
        {
            terminal.Progress.Part = $"task {i + 1} of {names.Length}";
            EvaluationSession judge = task.Judge;
            TransferColumn column = ScoringProgress.Run(terminal, $"transfer to {task.Name}", progress => TransferColumn.Measure(
                judge.Weights, judge.Prompts, circuits, judge.Options, session.Seed, progress, cancellation));
            cancellation.ThrowIfCancellationRequested();
            if (column.IsUnsteady)
            {
                terminal.Warn($"{task.Name}: ablating everything changes {judge.Metric} by less than two standard errors of that change; "
                    + "ratios to it say little");
            }
            return task with { Column = column };
        })];
        terminal.Progress.Part = "";
        TransferMatrices matrices = new(method.Name, o.SizeList, judged, o.Random);

        session.Clock.Start("write");
        JsonObject made = TransferJson.Provenance(session, matrices);
        if (o.Out is not null) ResultJson.Write(o.Out, TransferJson.Of(matrices, made));
        if (o.Table is not null) TransferCsv.Write(o.Table, matrices);
        if (o.Picture is not null) AtomicFile.Write(o.Picture, Draw(matrices));
        session.Clock.Stop();

        CommandReport report = new();
        TransferReport.Describe(report, session, matrices);
        report.Provenance = made;
        RunFacts.Device(
            report, session.Provenance(judged.Max(t => t.Column!.BatchSize)), judged.Max(t => t.Column!.PeakDeviceBytes));
        RunFacts.Time(report, session.Clock);
        report.File("matrices", o.Out);
        report.File("table", o.Table);
        report.File("picture", o.Picture);
        return report;
    }

    private static SplitPrompts Split(PromptSet all)
    {
        int count = all.Pairs.Count;
        if (count < 2)
        {
            throw new GradpathException(
                $"{all.Source}: holds one prompt pair; a task needs one to find its circuit on and another to judge by.");
        }
        return SplitPrompts.Of(all, count / 2, count - (count / 2));
    }

    private static Circuit[] Circuits(
        TransferCommandOptions o, EvaluationSession find, string name, AttributionMethod method, Terminal terminal,
        CancellationToken cancellation)
    {
        AttributionOptions options = Scoring.Options(find, method) with { BatchSize = find.Options.BatchSize };
        EdgeScores scores = Scoring.Run(find.Weights, find.Prompts, options, terminal, cancellation).Scores;
        Circuit[] circuits = [.. o.SizeList.Select(
            size => CircuitPruning.Fill(n => CircuitSelection.TopEdges(scores, n), size, scores.Graph.EdgeCount))];
        foreach ((int i, Circuit circuit) in circuits.Index())
            EmptyCircuits.Warn(terminal, $"{name} at {Sizes.Of(o.SizeList[i], "edge")}", circuit);
        return circuits;
    }

    private static IEnumerable<Circuit> Random(int count, int edges, ComputationGraph graph, ulong seed) =>
        Enumerable.Range(0, count).Select(r => RandomCircuits.OfSize(graph, edges, unchecked(seed + (ulong)r)));

    private static string Draw(TransferMatrices matrices) => HeatMap.Draw(
        $"Circuits of {string.Join(", ", matrices.Names)}: overlap, faithfulness and damage", matrices.Names,
        "rows: the circuit's task; columns: the task that judges",
        [
            .. matrices.Sizes.Select((edges, size) => TransferMatrices.Kinds.Select(kind => new HeatMapPanel(
                $"{Sizes.Of(edges, "edge")}: {kind.Title}", (of, on) => kind.Value(matrices.Cell(size, of, on)))).ToArray()),
        ]);
}
