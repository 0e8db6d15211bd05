using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary>The matrices of <c>gradpath transfer</c> in the terminal.</summary>
internal static class TransferReport
{
    /// <summary>Adds them to a report.</summary>
    public static void Describe(CommandReport report, EvaluationSession session, TransferMatrices m)
    {
        string ablation = EnumNames.Of(session.Options.Ablation);
        string sizes = string.Join(", ", m.Sizes.Select(s => Sizes.Count(s)));
        report.Line($"circuits of {Sizes.Of(m.Tasks.Count, "task")} by {m.Method}, of at most {sizes} edges after pruning; "
            + $"edges outside a circuit ablated ({ablation}) at all positions; seed {session.Seed}",
            ("method", m.Method), ("sizes", m.Sizes), ("ablation", ablation), ("seed", session.Seed),
            ("random", m.Random),
            ("n_edges_graph", new ComputationGraph(session.Weights.Config).EdgeCount));
        report.Table(ReportTable.Of("tasks", m.Tasks)
            .Text("task", "task", t => t.Name)
            .Text("metric", "metric", t => t.Judge.Metric.Name)
            .Count("pairs that find", "found_on", t => t.Prompts.Find.Pairs.Count)
            .Count("pairs that judge", "judged_on", t => t.Prompts.Judge.Pairs.Count)
            .Number("full model", "full", t => t.Column!.Full.Average())
            .Number("all ablated", "empty", t => t.Column!.Empty.Average())
            .Hidden("unsteady", t => t.Column!.IsUnsteady));
        for (int size = 0; size < m.Sizes.Count; size++) AddMatrices(report, m, size);
        report.Data(CellTable(m));
        AddSpecificity(report, m);
        report.Note("A row is the circuit of a task, a column the task that judges, on pairs that found no circuit. Faithfulness is "
            + "(m(C) - m(empty)) / (m(full) - m(empty)) of the column's metric; damage is 1 - that of the edges outside the circuit.");
    }

    private static void AddMatrices(CommandReport report, TransferMatrices m, int size)
    {
        foreach ((string title, Func<TransferCell, double> value) in TransferMatrices.Kinds)
        {
            report.Plain("");
            report.Plain($"{Sizes.Of(m.Sizes[size], "edge")}: {title}");
            int now = size;
            ReportTableOf<int> table = ReportTable.Of("matrix", Enumerable.Range(0, m.Tasks.Count))
                .Shows("circuit of", of => m.Names[of], right: false);
            for (int on = 0; on < m.Tasks.Count; on++)
            {
                int column = on;
                table.Shows(m.Names[column], of => Sizes.Ratio(value(m.Cell(now, of, column))));
            }
            report.Show(table);
        }
    }

    private static ReportTableOf<TransferCell> CellTable(TransferMatrices m) => ReportTable.Of("cells", m.Cells)
        .Hidden("edges", c => c.Edges)
        .Hidden("circuit_of", c => c.Of.Name)
        .Hidden("judged_on", c => c.On.Name)
        .Hidden("circuit_edges", c => c.Overlap.Edges.Found)
        .Hidden("shared_edges", c => c.Overlap.Edges.Shared)
        .Hidden("jaccard", c => c.Overlap.Edges.Jaccard)
        .Hidden("jaccard_chance", c => c.Chance)
        .Hidden("jaccard_nodes", c => c.Overlap.Nodes.Jaccard)
        .Hidden("faithfulness", c => c.Effect.Faithfulness)
        .Hidden("faithfulness_ci", c => new[] { c.Effect.Low, c.Effect.High })
        .Hidden("damage", c => c.Effect.Damage)
        .Hidden("damage_ci", c => new[] { c.Effect.DamageLow, c.Effect.DamageHigh });

    private static void AddSpecificity(CommandReport report, TransferMatrices m)
    {
        (int Size, int On)[] rows =
            [.. Enumerable.Range(0, m.Sizes.Count).SelectMany(size => Enumerable.Range(0, m.Tasks.Count).Select(task => (size, task)))];
        report.Plain("");
        report.Plain($"a task's own circuit on it, the mean of the others', and that of {Sizes.Of(m.Random, "random circuit")}");
        report.Table(ReportTable.Of("specificity", rows)
            .Count("edges", "edges", r => m.Sizes[r.Size])
            .Text("task", "task", r => m.Names[r.On])
            .Ratio("faithfulness", "faithfulness", r => m.Cell(r.Size, r.On, r.On).Effect.Faithfulness)
            .Ratio("of others", "faithfulness_others", r => m.MeanOfOthers(r.Size, r.On, c => c.Effect.Faithfulness))
            .Ratio("of random", "faithfulness_random", r => m.MeanOfRandom(r.Size, r.On, e => e.Faithfulness))
            .Ratio("damage", "damage", r => m.Cell(r.Size, r.On, r.On).Effect.Damage)
            .Ratio("by others", "damage_others", r => m.MeanOfOthers(r.Size, r.On, c => c.Effect.Damage))
            .Ratio("by random", "damage_random", r => m.MeanOfRandom(r.Size, r.On, e => e.Damage)));
    }
}
