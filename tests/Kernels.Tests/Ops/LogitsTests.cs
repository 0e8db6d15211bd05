namespace Gradpath.Kernels.Tests;

public sealed class LogitsTests
{
    // Three items with two, three and one judged tokens.
    private static readonly int[] Starts = [0, 2, 5, 6];
    private static readonly int[] Tokens = [0, 4, 1, 2, 6, 5];
    private static readonly float[] Weights = [1, -1, 0.5f, 0.5f, -1, 1];

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 7)]
    [InlineData(3, 1031)]
    public void Log_probabilities_are_logits_minus_the_logarithm_of_the_sum(int rows, int vocabulary)
    {
        float[] logits = Numbers.Draw(1, rows * vocabulary, 20);
        double[] actual = LogSoftmax(logits, rows, vocabulary);
        Numbers.Same(PlainLogSoftmax(Numbers.Wide(logits), vocabulary), actual, 5e-7);
    }

    [Fact]
    public void Logits_in_the_thousands_neither_overflow_nor_vanish()
    {
        double[] actual = LogSoftmax([10000, 10001, -10000, 9999.5f], 1, 4);
        Numbers.Same(PlainLogSoftmax([10000, 10001, -10000, 9999.5], 4), actual, 1e-6);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(37)]
    public void Weighted_rows_of_a_table_are_summed_per_item(int width)
    {
        float[] table = Numbers.Draw(2, 7 * width);
        double[] actual = OpBench.Run(bench =>
        {
            Tensor output = bench.Out(3 * width);
            bench.Device.WeightedRowSums(bench.Store(table), Answers(bench), 3, width, output);
            return [output];
        })[0];
        var expected = new double[3 * width];
        ForJudged((item, token, weight) =>
        {
            for (int d = 0; d < width; d++) expected[(item * width) + d] += weight * table[(token * width) + d];
        });
        Numbers.Same(expected, actual, 3e-7);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(6)]
    public void The_probability_difference_and_its_gradient_are_those_of_the_softmax(int rows)
    {
        const int Vocabulary = 7;
        float[] logits = Numbers.Draw(3, rows * Vocabulary, 3);
        double[][] actual = OpBench.Run(bench =>
        {
            Tensor logP = bench.Store(logits), gradient = bench.Out(rows * Vocabulary);
            DeviceArray<double> values = bench.OutDoubles(rows), again = bench.OutDoubles(rows);
            AnswerTokens answers = Answers(bench);
            bench.Device.LogSoftmax(logP, rows, Vocabulary);
            bench.Device.ProbabilityDifference(logP, answers, 3, rows, Vocabulary, again, null);
            bench.Device.ProbabilityDifference(logP, answers, 3, rows, Vocabulary, values, gradient);
            bench.Device.ProbabilityDifference(logP, answers, 3, rows, Vocabulary, values, logP);
            return [values, again, gradient, logP];
        });
        double[] x = Numbers.Wide(logits);
        double[] Difference(double[] v)
        {
            double[] p = [.. PlainLogSoftmax(v, Vocabulary).Select(Math.Exp)];
            var values = new double[rows];
            for (int r = 0; r < rows; r++)
            {
                ForJudged((item, token, weight) => values[r] += item == r % 3 ? weight * p[(r * Vocabulary) + token] : 0);
            }
            return values;
        }

        Numbers.Same(Difference(x), actual[0]);
        Numbers.Same(Difference(x), actual[1]);
        double[] expected = Numbers.Differentiate(x, v => Difference(v).Sum());
        Numbers.Same(expected, actual[2]);
        Numbers.Same(expected, actual[3]);
    }

    [Theory]
    [InlineData(2, 2, 5)]
    [InlineData(2, 6, 1031)]
    public void The_divergence_from_a_target_and_its_gradient_are_those_of_the_definition(int items, int rows, int vocabulary)
    {
        float[] logits = Numbers.Draw(4, rows * vocabulary, 3), target = Numbers.Draw(5, items * vocabulary, 3);
        double[][] actual = OpBench.Run(bench =>
        {
            Tensor logP = bench.Store(logits), t = bench.Store(target), gradient = bench.Out(rows * vocabulary);
            DeviceArray<double> values = bench.OutDoubles(rows), again = bench.OutDoubles(rows);
            bench.Device.LogSoftmax(logP, rows, vocabulary);
            bench.Device.LogSoftmax(t, items, vocabulary);
            bench.Device.KlDivergence(logP, t, items, rows, vocabulary, again, null);
            bench.Device.KlDivergence(logP, t, items, rows, vocabulary, values, gradient);
            bench.Device.KlDivergence(logP, t, items, rows, vocabulary, values, logP);
            return [values, again, gradient, logP];
        });
        double[] p = PlainLogSoftmax(Numbers.Wide(logits), vocabulary), q = PlainLogSoftmax(Numbers.Wide(target), vocabulary);
        double[] expected = new double[rows], slope = new double[rows * vocabulary];
        for (int i = 0; i < slope.Length; i++)
        {
            double t = q[i % q.Length];
            expected[i / vocabulary] += Math.Exp(t) * (t - p[i]);
            slope[i] = Math.Exp(p[i]) - Math.Exp(t);
        }
        Numbers.Same(expected, actual[0]);
        Numbers.Same(expected, actual[1]);
        Numbers.Same(slope, actual[2]);
        Numbers.Same(slope, actual[3]);
    }

    [Fact]
    public void A_run_diverges_from_itself_by_exactly_nothing()
    {
        double[][] actual = OpBench.Run(bench =>
        {
            Tensor logP = bench.Store(Numbers.Draw(6, 2 * 9, 4)), gradient = bench.Out(18);
            DeviceArray<double> values = bench.OutDoubles(2);
            bench.Device.LogSoftmax(logP, 2, 9);
            bench.Device.KlDivergence(logP, logP, 2, 2, 9, values, gradient);
            return [values, gradient];
        });
        Assert.All(actual[0][..2], v => Assert.Equal(0, v));
        Assert.All(actual[1][..18], v => Assert.Equal(0, v));
    }

    [Fact]
    public void The_gradient_of_the_distance_of_probabilities_is_what_finite_differences_show()
    {
        const int Items = 2, Rows = 4, Vocabulary = 6;
        float[] logits = Numbers.Draw(7, Rows * Vocabulary, 2), target = Numbers.Draw(8, Items * Vocabulary, 2);
        double[][] actual = OpBench.Run(bench =>
        {
            Tensor logP = bench.Store(logits), t = bench.Store(target), gradient = bench.Out(Rows * Vocabulary);
            bench.Device.LogSoftmax(logP, Rows, Vocabulary);
            bench.Device.LogSoftmax(t, Items, Vocabulary);
            bench.Device.ProbabilityDistanceGradient(logP, t, Items, Rows, Vocabulary, gradient);
            bench.Device.ProbabilityDistanceGradient(logP, t, Items, Rows, Vocabulary, logP);
            return [gradient, logP];
        });
        double[] q = [.. PlainLogSoftmax(Numbers.Wide(target), Vocabulary).Select(Math.Exp)];
        double[] expected = Numbers.Differentiate(
            Numbers.Wide(logits),
            v => PlainLogSoftmax(v, Vocabulary).Select((p, i) => (Math.Exp(p) - q[i % q.Length]) * (Math.Exp(p) - q[i % q.Length])).Sum());
        Numbers.Same(expected, actual[0]);
        Numbers.Same(expected, actual[1]);
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(3, 6, 129)]
    [InlineData(2, 4, 4099)]
    public void Row_products_repeat_the_second_operand(int period, int rows, int width)
    {
        float[] x = Numbers.Draw(9, rows * width), y = Numbers.Draw(10, period * width);
        double[] actual = OpBench.Run(bench =>
        {
            DeviceArray<double> values = bench.OutDoubles(rows);
            bench.Device.RowDots(bench.Store(x), bench.Store(y), period, rows, width, values);
            return [values];
        })[0];
        var expected = new double[rows];
        for (int i = 0; i < x.Length; i++) expected[i / width] += (double)x[i] * y[i % y.Length];
        Numbers.Same(expected, actual, 1e-6);
    }

    private static double[] LogSoftmax(float[] logits, int rows, int vocabulary) => OpBench.Run(bench =>
    {
        Tensor x = bench.Store(logits);
        bench.Device.LogSoftmax(x, rows, vocabulary);
        return [x];
    })[0];

    private static double[] PlainLogSoftmax(double[] logits, int vocabulary) => [.. logits.Chunk(vocabulary).SelectMany(row =>
    {
        double largest = row.Max();
        double sum = row.Sum(v => Math.Exp(v - largest));
        return row.Select(v => v - largest - Math.Log(sum));
    })];

    private static AnswerTokens Answers(OpBench bench) =>
        new(bench.Integers(Starts), bench.Integers(Tokens), bench.Own(bench.Device.Store<float>(Weights)), Tokens.Length);

    private static void ForJudged(Action<int, int, double> each)
    {
        for (int item = 0; item < Starts.Length - 1; item++)
        {
            for (int a = Starts[item]; a < Starts[item + 1]; a++) each(item, Tokens[a], Weights[a]);
        }
    }
}
