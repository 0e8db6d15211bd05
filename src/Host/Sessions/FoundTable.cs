using System.Globalization;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Reports;
using Spectre.Console;

namespace Gradpath.Host.Sessions;

/// <summary>The table of circuits that searches have found.</summary>
internal static class FoundTable
{
    /// <summary>Prints circuits with their KL, metric and time.</summary>
    /// <param name="terminal">Where to.</param>
    /// <param name="session">Model and prompts.</param>
    /// <param name="evaluation">The circuits' evaluation.</param>
    /// <param name="rows">The circuits; steps and time where they say something.</param>
    /// <param name="judgedOn">Which prompts these are: "... the prompts that".</param>
    public static void Print(
        Terminal terminal,
        EvaluationSession session,
        EvaluationResult evaluation,
        IReadOnlyList<(string Name, Circuit Circuit, int? Steps, TimeSpan? Time)> rows,
        string judgedOn)
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
                rows[i].Name, Sizes.Count(rows[i].Circuit.EdgeCount), Percent(sparsity),
                ResultJson.Text(outcome.MeanKl), ResultJson.Text(outcome.MeanMetric),
                ResultJson.Text(faithfulness), Percent(outcome.ExactMatchRate), rows[i].Steps is { } steps ? Sizes.Count(steps) : "",
                rows[i].Time is { } time ? time.TotalSeconds.ToString("0.0 s", CultureInfo.InvariantCulture) : "",
            ];
            table.AddRow([.. cells.Select(c => new Text(c))]);
        }
        terminal.Console.Write(table);
        terminal.Out.WriteLine(
            $"KL of the empty circuit: {ResultJson.Text(evaluation.Empty.MeanKl)}; judged on the prompts that {judgedOn}");
    }

    /// <summary>A share in percent.</summary>
    public static string Percent(double share) => share.ToString("0.0 %", CultureInfo.InvariantCulture);
}
