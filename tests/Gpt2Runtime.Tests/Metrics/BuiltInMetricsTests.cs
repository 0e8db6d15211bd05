using System.Reflection;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Kernels;
using Xunit.Abstractions;

namespace Gradpath.Gpt2Runtime.Tests.Metrics;

/// <summary>The table of metrics, row by row.</summary>
public sealed class BuiltInMetricsTests(ITestOutputHelper output)
{
    private const int Copies = 3;

    [Fact]
    public void Every_row_stands_in_the_table_once_under_its_property()
    {
        PropertyInfo[] properties = [.. typeof(BuiltInMetrics).GetProperties().Where(p => p.PropertyType == typeof(Metric))];
        Assert.Equal(properties.Select(p => (Metric)p.GetValue(null)!), BuiltInMetrics.All);
        Assert.Equal(BuiltInMetrics.All.Count, BuiltInMetrics.All.Select(m => m.Name).Distinct(StringComparer.OrdinalIgnoreCase).Count());
        foreach ((PropertyInfo property, Metric metric) in properties.Zip(BuiltInMetrics.All))
            Assert.Equal(property.Name, metric.GetType().Name);
    }

    [Theory]
    [InlineData("logit-diff", "logit-diff")]
    [InlineData("LOGIT_DIFF", "logit-diff")]
    [InlineData(" Prob-diff ", "prob-diff")]
    [InlineData("KL", "kl")]
    public void Names_are_found_as_people_write_them(string written, string name)
    {
        Assert.Equal(name, BuiltInMetrics.Find(written).Name);
        Assert.Same(BuiltInMetrics.Find(name), BuiltInMetrics.Find(written));
    }

    [Theory]
    [InlineData("logit-dif", "did you mean logit-diff?")]
    [InlineData("probdif", "did you mean prob-diff?")]
    [InlineData("perplexity", "no such metric; choose ")]
    [InlineData("", "no such metric; choose ")]
    public void An_unknown_name_is_answered_with_what_may_be_meant_and_what_there_is(string written, string answer)
    {
        string message = Assert.Throws<OptionException>(() => BuiltInMetrics.Find(written)).Message;
        Assert.StartsWith($"Metric {written}: no such metric;", message, StringComparison.Ordinal);
        Assert.Contains(answer, message, StringComparison.Ordinal);
        Assert.EndsWith(
            $" choose {CanonicalNames.Choice(BuiltInMetrics.All.Select(m => m.Name))}", message, StringComparison.Ordinal);
        Assert.False(BuiltInMetrics.TryFind(written, out _));
    }

    /// <summary>README's table is the rows', word for word.</summary>
    [Fact]
    public void The_readme_lists_every_metric()
    {
        string[] lines = File.ReadAllLines(Path.Combine(RepositoryFiles.Root, "README.md"));
        int head = Array.FindIndex(lines, l => l.StartsWith("| metric |", StringComparison.Ordinal));
        Assert.Equal(
            BuiltInMetrics.All.Select(m => $"| {m.Title} | `{m.Name}` | {m.Meaning} | {Needed(m)} |"),
            lines.Skip(head + 2).TakeWhile(l => l.StartsWith('|')));
    }

    [Fact]
    public void Every_row_has_a_reference_that_gives_what_is_worked_by_hand()
    {
        foreach (Metric metric in BuiltInMetrics.All)
        {
            ReferenceMetric reference = Assert.Single(ReferenceMetric.All, r => r.Name == metric.Name);
            Assert.True(reference.Examples.Count > 1, $"{metric} has too few examples");
            foreach (ReferenceMetricExample e in reference.Examples)
                Assert.Equal(e.Value, ReferenceMetric.Value(metric, Row(e.Logits), PairOf(e), Row(e.CleanLogits)), 1e-12);
        }

        static RealMatrix Row(double[] values) => new(1, values.Length, values);
        static PromptPair PairOf(ReferenceMetricExample e) => new([0], [1], e.Answers, e.WrongAnswers);
    }

    [Fact]
    public void A_row_is_a_loss_and_a_distance_as_its_reference_is()
    {
        foreach (Metric metric in BuiltInMetrics.All)
        {
            Assert.Equal(ReferenceMetric.LossSign(metric), metric.LossSign);
            RealMatrix clean = new(1, 5, [0.5, -1, 2, 0, 1]);
            PromptPair pair = new([0], [1], [2, 4], [0]);
            double there = ReferenceMetric.Value(metric, clean, pair, clean);
            double steepest = ReferenceMetric.Gradient(metric, clean, pair, clean).Data.Max(Math.Abs);
            Assert.Equal(metric.MeasuresDistance, Math.Abs(there) < 1e-12 && steepest < 1e-12);
        }
    }

    /// <summary>
    /// Values and gradients of rows that belong to several copies of a batch, with answers listed twice and several to an item.
    /// </summary>
    [Theory]
    [MemberData(nameof(OddModel.Names), MemberType = typeof(OddModel))]
    public void Values_and_gradients_of_every_row_equal_the_reference(string name)
    {
        using OddModel model = OddModel.Make(name);
        PromptPair[] pairs = [.. model.Mixed.Select((p, i) => i % 2 == 0 ? p : p with { Answers = [.. p.Answers, p.Answers[0]] })];
        var deviations = new Deviations(output);
        foreach (Metric metric in BuiltInMetrics.All) Compare(model, metric, pairs, deviations);
        deviations.Check();
    }

    private static void Compare(OddModel model, Metric metric, PromptPair[] pairs, Deviations deviations)
    {
        int rows = Copies * pairs.Length;
        int vocabulary = model.Weights.Config.Vocabulary;
        int width = metric.ReadsLogits ? vocabulary : model.Weights.Config.Width;
        float[] x = Random(rows * width);
        using MetricHead head = metric.Head(model.Weights, pairs.Length, rows);
        using Tensor input = model.Device.StoreTensor(x, rows, width);
        using Tensor gradient = model.Device.Allocate(rows, width);
        head.SetItems(pairs, null);

        // The second copy is the clean run.
        head.Evaluate(input, rows, 1);
        head.Gradient(input, rows, gradient);
        double[] slopes = [.. gradient.ToArray().Select(v => (double)v)];
        var values = new double[rows];
        var expected = new RealMatrix(rows, width);
        for (int r = 0; r < rows; r++)
        {
            RealMatrix clean = LogitsOf(pairs.Length + (r % pairs.Length)), logits = LogitsOf(r);
            values[r] = ReferenceMetric.Value(metric, logits, pairs[r % pairs.Length], clean);
            RealMatrix byLogits = ReferenceMetric.Gradient(metric, logits, pairs[r % pairs.Length], clean);
            RealMatrix wanted = metric.ReadsLogits ? byLogits : RealMatrix.Product(byLogits, Unembedding());
            wanted.Data.CopyTo(expected.Row(r));
        }
        deviations.Compare($"{metric}, values", values, head.Values, 1e-5, 1);
        deviations.Compare($"{metric}, gradients", expected.Data, slopes, 1e-5);

        // [1, V]: a row as logits.
        RealMatrix LogitsOf(int row)
        {
            RealMatrix one = new(1, width, [.. x.AsSpan(row * width, width).ToArray().Select(v => (double)v)]);
            if (metric.ReadsLogits) return one;
            RealMatrix logits = RealMatrix.ProductTransposed(one, Unembedding());
            if (model.Reference.UnembeddingBias is { } bias)
            {
                for (int v = 0; v < vocabulary; v++) logits[0, v] += bias[v];
            }
            return logits;
        }

        // [V, D].
        RealMatrix Unembedding() => model.Reference.Unembedding.Rows == vocabulary
            ? model.Reference.Unembedding
            : model.Reference.Unembedding.Transpose();
    }

    private static float[] Random(int count)
    {
        Random random = new(count);
        return [.. Enumerable.Range(0, count).Select(_ => (4 * random.NextSingle()) - 2)];
    }

    private static string Needed(Metric metric) => (metric.NeedsAnswers, metric.NeedsWrongAnswers) switch
    {
        (true, true) => "right and wrong",
        (true, false) => "right",
        (false, true) => "wrong",
        _ => "none",
    };
}
