using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Compilation;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Sessions;
using Gradpath.Kernels;
using Spectre.Console;

namespace Gradpath.Host.Commands;

/// <summary>
/// <c>gradpath ground-truth</c>: every program is compiled, every method scores its edges, and the scores are compared with the circuit.
/// </summary>
internal static class TruthCommand
{
    private const int UsualLimit = 100;

    /// <summary>Runs the command.</summary>
    /// <param name="o">The options.</param>
    /// <param name="terminal">Where to write.</param>
    /// <param name="cancellation">Stops the work.</param>
    public static CommandReport Run(TruthOptions o, Terminal terminal, CancellationToken cancellation)
    {
        o.Check();
        StageClock clock = new(terminal);
        clock.Start("load");
        using Device device = ComputeDevice.Open(o, terminal);
        RunDetails.Device(terminal, device);
        clock.Start("passes");
        Provenance? made = null;
        List<TruthRow> rows = [];
        foreach (CompiledProgram program in o.Compiled()) rows.AddRange(Judge(o, program, device, ref made, terminal, cancellation));
        clock.Start("write");
        if (o.Update) TruthPage.Write(TruthPage.Name, rows);
        clock.Stop();

        CommandReport report = new() { Provenance = Stated(made!) };
        string[] heads = TruthPage.Heads(rows);
        report.Draw(t => Print(t, heads, TruthPage.Lines(rows)));
        report.Data(ReportTable.Of("rows", rows)
            .Hidden("program", r => r.Program)
            .Hidden("method", r => r.Method)
            .Hidden("auroc", r => r.Quality.Area)
            .Hidden("average_precision", r => r.Quality.AveragePrecision)
            .Hidden("true_edges", r => r.Quality.TrueEdges)
            .Hidden("other_edges", r => r.Quality.OtherEdges)
            .Hidden("undecided_edges", r => r.Undecided)
            .Hidden("seconds", r => r.Seconds));
        report.Note("area under the ROC curve / average precision of |score|; chance is 0.5 / the share of true edges: "
            + string.Join(", ", rows.DistinctBy(r => r.Program).Select(r =>
                $"{r.Program} {r.Quality.TrueEdges} of {r.Quality.TrueEdges + r.Quality.OtherEdges}")));
        RunFacts.Time(report, clock, $"device: {device.Description}; ");
        if (o.Update) report.File("page", TruthPage.Name);
        return report;
    }

    private static List<TruthRow> Judge(
        TruthOptions o, CompiledProgram program, Device device, ref Provenance? made, Terminal terminal, CancellationToken cancellation)
    {
        ulong seed = (ulong)(o.Seed ?? 0);
        CompiledModel model = program.Compile(new DistractorOptions(seed));
        PromptSet prompts = PromptSet.Of(
            program.Pairs(o.Limit ?? UsualLimit, seed), program.Name, source: $"the program {program.Name}, seed {seed}");
        using Gpt2Weights weights = Gpt2Weights.FromMemory(device, model.Config, model.Tensors, program.Name, cancellation);
        List<TruthRow> rows = [];
        foreach (AttributionMethod method in o.Judged())
        {
            cancellation.ThrowIfCancellationRequested();
            terminal.Progress.Part = $"{program.Name}, {method.Name}";
            AttributionOptions options = new() { Method = method, Seed = method.Takes(MethodSettings.Seed) ? seed : null };
            long start = terminal.Time.GetTimestamp();
            EdgeScores scores = Scoring.Run(weights, prompts, options, terminal, cancellation).Scores;
            double seconds = terminal.Time.GetElapsedTime(start).TotalSeconds;
            made ??= scores.Provenance;
            RankingQuality quality = RankingQuality.Of(scores, model.Circuit, model.Undecided);
            rows.Add(new TruthRow(program.Name, method.Name, quality, model.Undecided.EdgeCount, seconds));
        }
        terminal.Progress.Part = "";
        return rows;
    }

    // What all runs share.
    private static JsonObject Stated(Provenance first) => new Provenance
    {
        Version = first.Version,
        Device = first.Device,
        Precision = first.Precision,
        Gemm = first.Gemm,
        Metric = first.Metric,
        Items = first.Items,
        Sign = first.Sign,
    }.ToJson();

    private static void Print(Terminal terminal, string[] heads, IEnumerable<string[]> lines)
    {
        Table table = new() { Border = TableBorder.Simple };
        for (int i = 0; i < heads.Length; i++)
            table.AddColumn(i == 0 ? new TableColumn(heads[i]).NoWrap() : new TableColumn(heads[i]).RightAligned().Padding(0, 0).NoWrap());
        foreach (string[] line in lines) table.AddRow(line.Select(c => new Text(c)));
        terminal.Console.Write(table);
    }
}
