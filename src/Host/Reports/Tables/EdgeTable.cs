using System.Globalization;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Graph;
using Spectre.Console;

namespace Gradpath.Host.Reports.Tables;

/// <summary>The strongest edges and what their sign says.</summary>
internal static class EdgeTable
{
    /// <summary>Prints the edges of largest absolute score.</summary>
    public static void Print(Terminal terminal, EdgeScores scores, AttributionMethod method, int top)
    {
        ScoredEdge[] edges = scores.Strongest(top);
        bool isSigned = method.HasMetric();
        Table table = new Table { Border = TableBorder.Simple }
            .AddColumn(new TableColumn("#").RightAligned())
            .AddColumn("edge")
            .AddColumn(new TableColumn("score").RightAligned());
        if (isSigned) table.AddColumn("corrupting it");
        for (int i = 0; i < edges.Length; i++)
        {
            List<Text> row =
            [
                new((i + 1).ToString(CultureInfo.InvariantCulture)),
                new(scores.Graph.EdgeName(edges[i].Row, edges[i].Column)),
                new(isSigned ? Number(edges[i].Score) : edges[i].Score.ToString("0.00000", CultureInfo.InvariantCulture)),
            ];
            if (isSigned) row.Add(new Text(edges[i].Score switch { > 0 => "hurts", < 0 => "helps", _ => "-" }));
            table.AddRow(row);
        }
        terminal.Console.Write(table);
        if (!isSigned)
        {
            terminal.Out.WriteLine($"A score is {Meaning(method)}; it has no sign and no metric.");
            return;
        }
        string kind = method == AttributionMethod.Exact ? "measured" : "estimated";
        terminal.Out.WriteLine($"A score is the {kind} rise of the loss when the edge carries its corrupted value.");
        terminal.Out.WriteLine("Positive: corrupting the edge hurts the task. Negative: corrupting it helps.");
    }

    /// <summary>What a score without a metric says.</summary>
    public static string Meaning(AttributionMethod method) => method switch
    {
        AttributionMethod.InformationFlowRoutes => "the writer's share of what the reader takes in on the clean prompts (0 to 1)",
        AttributionMethod.Magnitude => "how far the corruption moves the writer's output, whoever reads it",
        AttributionMethod.Random => "a random number between 0 and 1",
        _ => throw new ArgumentOutOfRangeException(nameof(method)),
    };

    /// <summary>A score with its sign, to four digits.</summary>
    public static string Number(float score)
    {
        float size = MathF.Abs(score);
        return size is > 0 and (< 1e-4f or >= 1e5f)
            ? score.ToString("+0.000e+00;-0.000e+00", CultureInfo.InvariantCulture)
            : score.ToString("+0.00000;-0.00000;0", CultureInfo.InvariantCulture);
    }
}
