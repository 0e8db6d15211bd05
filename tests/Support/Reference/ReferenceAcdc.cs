using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Tests.Support.Reference;

/// <summary>One edge's turn; a change of NaN: left out untested.</summary>
internal sealed record ReferenceStep(string Edge, double Before, double After, bool Kept)
{
    public double Change => After - Before;
}

/// <summary>ACDC as it is defined, in float64: one candidate after the other, each a whole run of the model.</summary>
internal static class ReferenceAcdc
{
    public static List<ReferenceStep> Search(
        ReferenceModel model,
        IReadOnlyList<PromptPair> pairs,
        double threshold,
        Metric objective,
        ReferenceAblation ablation,
        SenderOrder order,
        bool absolute = false,
        Func<int, int, double>? score = null)
    {
        ReferenceGraph graph = model.Graph;
        ReferenceItem[] items = ReferenceItem.Prepare(model, pairs, ablation);
        bool[,] circuit = graph.Circuit(graph.Edges);
        double Objective() =>
            ReferenceMetric.LossSign(objective) * ReferenceCircuit.Evaluate(model, items, circuit).Metric(objective).Average();

        List<ReferenceStep> steps = [];
        double current = Objective();
        foreach ((int node, int[] columns) in NodesBackwards(graph))
        {
            bool isRead = node == graph.Rows || Enumerable.Range(0, graph.Columns).Any(column => circuit[node, column]);
            foreach (int column in columns)
            {
                foreach (int row in Senders(graph, column, order, score))
                {
                    string name = graph.EdgeName((row, column));
                    circuit[row, column] = false;
                    if (!isRead)
                    {
                        steps.Add(new ReferenceStep(name, current, double.NaN, false));
                        continue;
                    }
                    double without = Objective();
                    double change = absolute ? Math.Abs(without - current) : without - current;
                    bool kept = !(change < threshold);
                    steps.Add(new ReferenceStep(name, current, without, kept));
                    circuit[row, column] = kept;
                    if (!kept) current = without;
                }
            }
        }
        return steps;
    }

    private static IEnumerable<(int Node, int[] Columns)> NodesBackwards(ReferenceGraph graph)
    {
        yield return (graph.Rows, [graph.Columns - 1]);
        for (int layer = graph.Layers - 1; layer >= 0; layer--)
        {
            yield return (graph.RowOfMlp(layer), [graph.ColumnOfMlp(layer)]);
            for (int head = graph.Heads - 1; head >= 0; head--)
            {
                yield return (
                    graph.RowOfHead(layer, head), [.. Enumerable.Range(0, 3).Select(part => graph.ColumnOfHead(layer, part, head))]);
            }
        }
    }

    private static int[] Senders(ReferenceGraph graph, int column, SenderOrder order, Func<int, int, double>? score)
    {
        int[] rows = [.. Enumerable.Range(0, graph.WritersBefore(column))];
        if (order == SenderOrder.Reverse) return rows;
        Array.Reverse(rows);
        return order == SenderOrder.Normal ? rows : [.. rows.OrderBy(row => Math.Abs(score!(row, column)))];
    }
}
