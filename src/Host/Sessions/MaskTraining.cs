using System.Globalization;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Host.Options;
using Gradpath.Host.Reports;
using Spectre.Console;

namespace Gradpath.Host.Sessions;

/// <summary>What the commands share that train masks: the run with its progress file, provenance, tables.</summary>
internal static class MaskTraining
{
    /// <summary>Trains, or goes on with training.</summary>
    /// <param name="session">Model and prompts.</param>
    /// <param name="options">Settings.</param>
    /// <param name="candidates">[F, K]: edges that may be in the circuit; null for all.</param>
    /// <param name="title">The command, for the progress bar.</param>
    /// <param name="file">Where the work goes if it is stopped; null where it is not saved.</param>
    /// <param name="resume">Whether to go on from there.</param>
    /// <param name="terminal">Where progress is shown.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="StoppedException">The work was stopped and saved.</exception>
    public static EdgePruningResult Run(
        EvaluationSession session,
        EdgePruningOptions options,
        bool[]? candidates,
        string title,
        ProgressFile? file,
        bool resume,
        Terminal terminal,
        CancellationToken cancellation)
    {
        using var pruning = new EdgePruning(session.Weights, session.Prompts, options, candidates, cancellation);
        if (resume) pruning.Restore(file!);
        try
        {
            ScoringProgress.Run(terminal, title, progress =>
            {
                pruning.Train(file is null ? progress : new ProgressSaver(progress, () => pruning.Save(file), TimeProvider.System));
                return 0;
            });
        }
        catch (OperationCanceledException e) when (file is not null && pruning.Step > 0)
        {
            pruning.Save(file);
            throw new StoppedException($"stopped after {Sizes.Count(pruning.Step)} of {Sizes.Count(pruning.Options.Steps)} steps; they are in {file.Path}, and the same command with --resume goes on from there.", e);
        }
        return pruning.Finish();
    }

    /// <summary>Everything that the masks depend on, to the last bit.</summary>
    public static JsonObject RunOf(MaskTrainingOptions o, EvaluationSession session, EdgePruningOptions options)
    {
        JsonObject run = session.RunIdentity(o);
        foreach ((string name, JsonNode? value) in Describe(options)) run[$"--{name}"] = value?.DeepClone();
        return run;
    }

    /// <summary>The circuit as its file has it: with the options that made it.</summary>
    public static Circuit WithProvenance(EdgePruningResult result, EvaluationSession session, string method, JsonObject firstStage)
    {
        JsonObject options = Describe(result.Options);
        foreach ((string name, JsonNode? value) in firstStage) options[name] = value?.DeepClone();
        return new Circuit(result.Circuit.Graph, result.Circuit.Membership)
        {
            EdgesBeforePrune = result.Circuit.EdgesBeforePrune,
            Scores = result.Circuit.Scores,
            ModelWidth = session.Weights.Config.Width,
            Provenance = session.Provenance(result.BatchSize) with
            {
                Method = method,
                Metric = BuiltInMetrics.KlDivergence.Name,
                Options = options,
                Sign = "none: the mask without noise, from 0 (off) to 1 (on)",
                Selection = new JsonObject { ["select"] = "masks", ["value"] = result.Options.Sparsity, ["pruned"] = true },
            },
        };
    }

    /// <summary>A table of circuits with their KL, metric and time.</summary>
    public static void Print(Terminal terminal, EvaluationSession session, EvaluationResult evaluation, IReadOnlyList<(string Name, Circuit Circuit, int? Steps, TimeSpan? Time)> rows)
    {
        Table table = new Table { Border = TableBorder.Simple }.AddColumn("");
        string[] headings = ["edges", "sparsity", "KL", session.Metric.Name, "faithfulness", "exact match", "steps", "time"];
        foreach (string name in headings)
            table.AddColumn(new TableColumn(name).RightAligned());
        for (int i = 0; i < rows.Count; i++)
        {
            CircuitOutcome outcome = evaluation.Circuits[i];
            double sparsity = 1 - (rows[i].Circuit.EdgeCount / (double)rows[i].Circuit.Graph.EdgeCount);
            double faithfulness = Faithfulness.Of(evaluation.Full, outcome, evaluation.Empty);
            string[] cells =
            [
                rows[i].Name, Sizes.Count(rows[i].Circuit.EdgeCount), Percent(sparsity), ResultJson.Text(outcome.MeanKl), ResultJson.Text(outcome.MeanMetric),
                ResultJson.Text(faithfulness), Percent(outcome.ExactMatchRate), rows[i].Steps is { } steps ? Sizes.Count(steps) : "",
                rows[i].Time is { } time ? time.TotalSeconds.ToString("0.0 s", CultureInfo.InvariantCulture) : "",
            ];
            table.AddRow([.. cells.Select(c => new Text(c))]);
        }
        terminal.Console.Write(table);
        terminal.Out.WriteLine($"KL of the empty circuit: {ResultJson.Text(evaluation.Empty.MeanKl)}; judged on the prompts that the masks were trained on");
    }

    /// <summary>A share in percent.</summary>
    public static string Percent(double share) => share.ToString("0.0 %", CultureInfo.InvariantCulture);

    private static JsonObject Describe(EdgePruningOptions o)
    {
        JsonObject json = new()
        {
            ["sparsity"] = o.Sparsity,
            ["target"] = o.Target,
            ["steps"] = o.Steps,
            ["target-warmup"] = o.TargetWarmup,
            ["schedule"] = EnumNames.Of(o.Schedule),
            ["rate-warmup"] = o.RateWarmup,
            ["learning-rate"] = o.LearningRate,
            ["multiplier-rate"] = o.MultiplierRate,
            ["weight-decay"] = o.WeightDecay,
            ["max-gradient-norm"] = o.MaxGradientNorm,
            ["batch-size"] = o.BatchSize,
            ["node-masks"] = o.NodeMasks,
        };
        if (o.NodeTarget is { } target) json["node-target"] = target;
        return json;
    }
}
