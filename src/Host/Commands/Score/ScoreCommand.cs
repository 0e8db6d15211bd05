using System.Globalization;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Options;
using Gradpath.Host.Reports;
using Gradpath.Host.Reports.Csv;
using Gradpath.Host.Reports.Tables;
using Gradpath.Host.Sessions;
using Gradpath.Kernels;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath score</c>: model and prompts in, a table of the strongest edges and a file of all scores out.</summary>
internal static class ScoreCommand
{
    public static int Run(ScoreOptions o, Terminal terminal, CancellationToken cancellation)
    {
        // Whatever can be refused is refused before the work starts.
        AttributionOptions options = o.Attribution();
        if (o.Top < 0) throw new UsageException($"--top {o.Top}: must be 0 or more.");
        ComputeDevice.Check(o);
        PromptRequest request = new()
        {
            Task = o.Task,
            Data = o.Data,
            Limit = o.Limit,
            Seed = o.Seed,
            SeedsMethod = options.Method.Takes(MethodSettings.Seed),
            Metric = options.Metric,
            NoBos = o.NoBos,
            HardCorruption = o.HardCorruption,
        };
        request.Check();
        if (o.Out is not null) OutputFile.RequireWritable("out", o.Out, ScoreFile.RequireWritable);
        if (o.RecordPath is not null) EmbeddingPathCsv.RequireWritable(o.RecordPath);

        StageClock clock = new();
        clock.Start("load");
        using Device device = ComputeDevice.Open(o, terminal);
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(ModelLocator.Resolve(o.Model));
        clock.Start("tokenise");
        PromptSet prompts = request.Load(checkpoint, terminal);
        clock.Start("load");
        using Gpt2Weights model = ModelLoading.Load(o.Model, checkpoint, device, cancellation);

        clock.Start("passes");
        AttributionResult result = Scoring.Run(model, prompts, options, terminal, cancellation);
        EdgeScores scores = result.Scores;
        clock.Start("write");
        if (o.Out is not null) scores.Save(o.Out);
        if (o.RecordPath is not null) EmbeddingPathCsv.Write(o.RecordPath, options.Method.Name, result.EmbeddingPath ?? []);
        clock.Stop();

        if (o.Top > 0) EdgeTable.Print(terminal, scores, options.Method, o.Top);
        if (o.Top > 0) terminal.Out.WriteLine();
        PrintRun(terminal.Out, scores, result);
        terminal.Out.WriteLine($"time: {clock}");
        if (o.Out is not null) terminal.Out.WriteLine($"scores of {Sizes.Count(scores.Graph.EdgeCount)} edges: {o.Out}");
        if (o.RecordPath is not null) terminal.Out.WriteLine($"path: {o.RecordPath}");
        return ExitCode.Success;
    }

    private static void PrintRun(TextWriter output, EdgeScores scores, AttributionResult result)
    {
        Provenance p = scores.Provenance!;
        string settings = string.Concat(p.Options.Select(option => $", {option.Key} {option.Value}"));
        output.WriteLine($"{p.Method}{settings}{(p.Metric is null ? "" : $", metric {p.Metric}")}"
            + $"{(p.Ablation is null or "patching" ? "" : $", ablation {p.Ablation}")}; "
            + $"{p.Items} prompt pairs of {p.Task} ({p.Data})");
        output.WriteLine(TokenizerNotes.BeginToken(p));
        if (result.CleanMetric.Length > 0 && result.CorruptedMetric.Length > 0)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"mean {p.Metric}: clean {result.CleanMetric.Average():G4}, corrupted {result.CorruptedMetric.Average():G4}"));
        }
        output.WriteLine(
            $"device: {p.Device}, {p.Precision}, batch of {p.BatchSize}, at most {Sizes.Bytes(result.PeakDeviceBytes)} in use");
        output.WriteLine(Sizes.Plan(result.Plan));
    }
}
