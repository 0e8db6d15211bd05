using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Sweeps.Merge;
using Gradpath.Host.Sweeps.Plan;
using Gradpath.Host.Sweeps.Units;
using static Gradpath.Host.Tests.MergeSamples;

namespace Gradpath.Host.Tests;

public sealed class SeedStatisticsTests
{
    // Quantiles of Student's t from tables: 12.706 for one degree of freedom, 2.776 for four.
    [Fact]
    public void An_interval_is_students_over_seeds()
    {
        // Mean 3, s^2 = 10 / 4, s / sqrt(5) = sqrt(1 / 2).
        SeedMean five = SeedMean.Of([1, 2, 3, 4, 5]);
        Assert.Equal(3, five.Mean);
        Assert.Equal(2.7764451051977987 * Math.Sqrt(0.5), five.Half!.Value, 1e-9);
        Assert.Equal(five.Mean - five.Half.Value, five.Low);
        SeedMean two = SeedMean.Of([0.25, 0.75]);
        Assert.Equal(0.5, two.Mean);
        Assert.Equal(12.706204736174705 * 0.25, two.Half!.Value, 1e-8);
        Assert.Equal(0, SeedMean.Of([2, 2, 2]).Half);
        SeedMean many = SeedMean.Of([.. Enumerable.Range(0, 201).Select(i => (double)(i % 3))]);
        Assert.InRange(many.Half!.Value, 0.11, 0.12);
    }

    [Fact]
    public void One_seed_has_no_interval_and_undefined_values_are_counted_apart()
    {
        Assert.Equal(new SeedMean(0.5, null, 1, 0), SeedMean.Of([0.5]));
        Assert.True(double.IsNaN(SeedMean.Of([0.5]).Low));
        SeedMean some = SeedMean.Of([double.NaN, 0.25, 0.75, double.PositiveInfinity]);
        Assert.Equal((0.5, 2, 2), (some.Mean, some.Count, some.Undefined));
        SeedMean none = SeedMean.Of([double.NaN]);
        Assert.True(double.IsNaN(none.Mean));
        Assert.Equal((0, 1), (none.Count, none.Undefined));
    }

    [Fact]
    public void The_best_mean_of_a_task_is_marked_where_methods_compete()
    {
        MergeInput input = Input(
            Done(Eap, "ioi", 0, 0.2), Done(Eap, "ioi", 1, 0.4), Done(EapIg, "ioi", 0, 0.1), Done(EapIg, "ioi", 1, 0.3),
            Done(Eap, "sva", 0, 0.5), Done(Eap, "both", 0, 0.25), Done(EapIg, "both", 0, 0.25));
        SeedGrid cmd = Grid(input, GridKind.Area, SweepMeasure.Cmd), cpr = Grid(input, GridKind.Area, SweepMeasure.Cpr);
        Assert.Equal(["eap", "eap-ig steps=5 path-start=clean"], cmd.Rows);
        Assert.Equal(["ioi", "sva", "both"], cmd.Columns);
        Assert.Equal(0.3, cmd.Cell("eap", "ioi")!.Value.Mean, 1e-15);
        Assert.Equal(12.706204736174705 * 0.1, cmd.Cell("eap", "ioi")!.Value.Half!.Value, 1e-8);
        Assert.Equal([false, true], cmd.Rows.Select(r => cmd.IsBest(r, "ioi")));
        Assert.Equal([false, true], cpr.Rows.Select(r => cpr.IsBest(r, "ioi")));
        Assert.Equal([false, false], cmd.Rows.Select(r => cmd.IsBest(r, "both")));
        Assert.False(cmd.IsBest("eap", "sva"));
        Assert.Null(cmd.Cell(cmd.Rows[1], "sva"));
        Assert.Contains("A dash: no result", cmd.Caption, StringComparison.Ordinal);
        Assert.Contains("smaller is better", cmd.Caption, StringComparison.Ordinal);
    }

    [Fact]
    public void Cells_with_other_numbers_of_seeds_say_so()
    {
        MergeInput input = Input(
            Done(Eap, "ioi", 0, 0.2), Done(Eap, "ioi", 1, 0.4), Done(EapIg, "ioi", 0, 0.1), Done(EapIg, "ioi", 1, double.NaN),
            Done(Hap("0.9") with { Verb = "score" }, "ioi", 1, double.NaN), Done(Hap("0.8") with { Verb = "score" }, "ioi", 0, 0.1),
            Done(Hap("0.8") with { Verb = "score" }, "ioi", 1, 0.1));
        SeedGrid cmd = Grid(input, GridKind.Area, SweepMeasure.Cmd);
        Assert.Equal(2, cmd.Seeds);
        Assert.Equal(("0.300", "1.271", null), cmd.Texts("eap", "ioi"));
        Assert.Equal(("0.100", null, "n = 1"), cmd.Texts("eap-ig steps=5 path-start=clean", "ioi"));
        Assert.Equal(("undefined", null, null), cmd.Texts("hap sparsity=0.9 draws=2", "ioi"));
        Assert.Equal(("-", null, null), cmd.Texts("hap", "ioi"));
        Assert.Contains("n = 2 seeds", cmd.Caption, StringComparison.Ordinal);
        Assert.Contains("2 values not defined", cmd.Caption, StringComparison.Ordinal);
    }

    [Fact]
    public void Searches_stand_beside_scores_at_their_sparsity()
    {
        SweepUnit scored = Unit(Eap, "ioi", 0, 0), near = Unit(Hap("0.95"), "ioi", 0, 1), far = Unit(Hap("0.9"), "ioi", 0, 2);
        SweepMethod acdc = new("acdc", "search", [("threshold", "0.1")], 9);
        SweepUnit traced = Unit(acdc, "ioi", 0, 3), silent = Unit(new("hap", "search", [], 10), "ioi", 0, 4);
        silent.Identity["options"] = JsonNode.Parse("{\"sparsity\":0.95}");
        UnitRow Found(double kl) => Row("found", 0.5, null) with { Kl = kl };
        IReadOnlyList<SeedGrid> kl =
        [
            .. SeedStatistics.Of(Input(
                (scored, Result(scored, null, Row("size", 0.5, 0.05) with { Kl = 0.2 })), (near, Result(near, null, Found(0.1))),
                (far, Result(far, null, Found(0.05))), (traced, Result(traced, null, Found(0.3))),
                (silent, Result(silent, null, Found(0.4)))))
                .Where(g => g.Key.Measure == SweepMeasure.Kl),
        ];
        Assert.Equal(
            [
                "KL of circuits with 5 % of the edges", "KL of circuits with 10 % of the edges",
                "KL of circuits of the size that each search found",
            ],
            kl.Select(g => g.Key.Title));
        Assert.Equal(["eap", "hap draws=2", "hap"], kl[0].Rows);
        Assert.Equal([false, true, false], kl[0].Rows.Select(r => kl[0].IsBest(r, "ioi")));
        Assert.Equal(["hap draws=2"], kl[1].Rows);
        Assert.Equal(["acdc threshold=0.1"], kl[2].Rows);
    }

    [Fact]
    public void Areas_say_over_which_fractions_they_are()
    {
        MergeInput input = Input(Done(Eap, "ioi", 0, 0.2));
        input = input with { Plan = input.Plan with { Fractions = [0.001, 0.05, 0.2] } };
        foreach (SweepMeasure measure in (SweepMeasure[])[SweepMeasure.Cmd, SweepMeasure.Cpr])
        {
            Assert.Contains(
                "; fractions from 0.1 % to 20 % of the edges; ", Grid(input, GridKind.Area, measure).Caption, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(0.0, 0.0, false, false)]
    [InlineData(0.25, 0.25, false, false)]
    [InlineData(0.25, 0.2500001, false, false)]
    [InlineData(0.25, 0.26, true, false)]
    public void Nothing_is_best_where_all_cells_read_the_same(double first, double second, bool isFirst, bool isSecond)
    {
        SeedGrid cmd = Grid(Input(Done(Eap, "ioi", 0, first), Done(EapIg, "ioi", 0, second)), GridKind.Area, SweepMeasure.Cmd);
        Assert.Equal([isFirst, isSecond], cmd.Rows.Select(r => cmd.IsBest(r, "ioi")));
        Assert.Equal(isFirst, cmd.Caption.Contains("Bold: ", StringComparison.Ordinal));
    }

    [Fact]
    public void Models_metrics_and_ablations_have_grids_of_their_own()
    {
        SweepUnit a = Unit(Eap, "ioi", 0, 0, metric: "x"), b = Unit(Eap, "ioi", 0, 1, metric: "y");
        SweepUnit c = Unit(Eap, "ioi", 0, 2, "other", "x");
        MergeInput input = Input((a, Result(a, 1)), (b, Result(b, 2)), (c, Result(c, 3)));
        IEnumerable<string> Scopes(params string?[] metrics) => SeedStatistics.Of(input with
        {
            Plan = input.Plan with { Metrics = metrics }
        }).Where(g => g.Key.Measure == SweepMeasure.Cmd).Select(g => $"{g.Key.Scope.Model} {g.Key.Scope.Metric}");
        Assert.Equal(["demo y", "demo x", "other x"], Scopes("y", "x"));
        Assert.Equal(["demo each task's own", "other each task's own"], Scopes((string?)null));
    }

    [Fact]
    public void Overlap_is_the_mean_jaccard_index_over_seeds()
    {
        // Three edges of four are shared at seed 0, one of two at seed 1: means of 0.5 and 1 / 3.
        ComputationGraph graph = new(new Gpt2Runtime.Checkpoints.Gpt2Config
        {
            Layers = 2,
            Heads = 2,
            Width = 8,
            InnerWidth = 16,
            Positions = 12,
            Vocabulary = 20,
        });
        (int Row, int Column)[] edges = [.. graph.Edges.Take(6)];
        MergeInput input = Input(
            Done(Eap, "ioi", 0, 1), Done(EapIg, "ioi", 0, 1), Done(Eap, "ioi", 1, 1), Done(EapIg, "ioi", 1, 1), Done(Eap, "sva", 0, 1));
        List<(int Index, int Edges)> asked = [];
        input = input with
        {
            Plan = input.Plan with { Evaluate = SweepEvaluation.Overlap },
            CircuitOf = (unit, n) =>
            {
                asked.Add((unit.Index, n));
                if (n != 50) return null;
                int[] chosen = (unit.Method.Name, unit.Seed) switch
                {
                    ("eap", 0) => [0, 1, 2],
                    (_, 0) => [1, 2, 3],
                    ("eap", _) => [0, 1],
                    _ => [1, 2],
                };
                return Circuit.Of(graph, chosen.Select(e => edges[e]));
            },
        };
        SeedGrid grid = Assert.Single(SeedStatistics.Of(input), g => g.Key.Kind == GridKind.Overlap);
        Assert.Equal("Overlap of edges on ioi, 5 % of the edges", grid.Key.Title);
        Assert.Equal((0.5 + (1.0 / 3)) / 2, grid.Cell(grid.Rows[0], grid.Rows[1])!.Value.Mean, 1e-15);
        Assert.Equal(grid.Cell(grid.Rows[0], grid.Rows[1]), grid.Cell(grid.Rows[1], grid.Rows[0]));
        Assert.Equal(1, grid.Cell("eap", "eap")!.Value.Mean);
        Assert.False(grid.IsBest("eap", "eap"));
        Assert.Equal([50, 100], asked.Take(2).Select(a => a.Edges));
        Assert.Equal(asked[0].Index, asked[1].Index);

        SeedStatistics.Of(input with
        {
            Plan = input.Plan with { Evaluate = SweepEvaluation.Curve },
            CircuitOf = (_, _) => throw new
            InvalidOperationException()
        });
    }

    [Fact]
    public void Transfer_matrices_have_the_circuits_own_task_on_the_diagonal()
    {
        SweepUnit ioi = Unit(Eap, "ioi", 0, 0), sva = Unit(Eap, "sva", 0, 1);
        MergeInput input = Input(
            (ioi, Result(ioi, null, Row("size", 0.9, 0.05, "ioi"), Row("transfer", 0.1, 0.05, "sva"))),
            (sva, Result(sva, null, Row("size", 0.8, 0.05, "sva"), Row("transfer", 0.2, 0.05, "ioi"))));
        SeedGrid grid = Assert.Single(SeedStatistics.Of(input), g => g.Key.Kind == GridKind.Transfer);
        Assert.Equal([0.9, 0.1, 0.2, 0.8], grid.Rows.SelectMany(r => grid.Columns.Select(c => grid.Cell(r, c)!.Value.Mean)));
        Assert.DoesNotContain(SeedStatistics.Of(Input((ioi, Result(ioi, null, Row("size", 0.9, 0.05, "ioi"))))),
            g => g.Key.Kind == GridKind.Transfer);
    }

    private static int s_index;

    private static (SweepUnit Unit, UnitResult Result) Done(SweepMethod method, string task, int seed, double cmd)
    {
        SweepUnit unit = Unit(method, task, seed, Interlocked.Increment(ref s_index));
        return (unit, Result(unit, cmd));
    }

    private static SeedGrid Grid(MergeInput input, GridKind kind, SweepMeasure measure) =>
        SeedStatistics.Of(input).Single(g => g.Key.Kind == kind && g.Key.Measure == measure);
}
