using System.Runtime.CompilerServices;

namespace Gradpath.Kernels;

// Logits: what turns the answer position's output into a metric and its gradient.
public abstract partial class Device
{
    /// <summary>Rows become their log-softmax, in place. Sums in float64.</summary>
    /// <param name="logits">[rows, vocabulary].</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="vocabulary">Width of a row.</param>
    internal void LogSoftmax(Tensor logits, int rows, int vocabulary)
    {
        AtLeast(0, rows);
        AtLeast(1, vocabulary);
        Need(logits, Size(rows, vocabulary));
        if (!Begins(nameof(LogSoftmax))) return;
        LogSoftmaxCore(logits, rows, vocabulary);
        Ended();
    }

    /// <summary>
    /// output[i] = sum over the item's tokens of weight * table[token]: with the unembedding as table, the direction in which the
    /// logit difference grows.
    /// </summary>
    /// <param name="table">[vocabulary, width].</param>
    /// <param name="answers">The items' tokens.</param>
    /// <param name="items">Number of items.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="output">[items, width]; must not overlap the table or the weights.</param>
    internal void WeightedRowSums(Tensor table, in AnswerTokens answers, int items, int width, Tensor output)
    {
        AtLeast(0, items);
        AtLeast(1, width);
        long size = Size(items, width);
        NeedRows(table, items, width);
        Need(answers, items);
        Need(output, size);
        Apart(output, size, table, table.Length);
        Apart(output, size, answers.Weight, answers.Count);
        if (!Begins(nameof(WeightedRowSums))) return;
        WeightedRowSumsCore(table, answers, items, width, output);
        Ended();
    }

    /// <summary>
    /// values[r] = v = sum over the item's tokens of weight * probability; gradient[r, j] = p_j (weight_j - v), the derivative of v by
    /// the logits. The item of row r is r mod items.
    /// </summary>
    /// <param name="logProbabilities">[rows, vocabulary].</param>
    /// <param name="answers">The items' tokens.</param>
    /// <param name="items">Number of items.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="vocabulary">Width of a row.</param>
    /// <param name="values">[rows], out, float64.</param>
    /// <param name="gradient">[rows, vocabulary], out; may be the log-probabilities, or null.</param>
    internal void ProbabilityDifference(
        Tensor logProbabilities, in AnswerTokens answers, int items, int rows, int vocabulary, DeviceArray<double> values, Tensor? gradient)
    {
        AtLeast(0, rows);
        AtLeast(rows == 0 ? 0 : 1, items);
        AtLeast(1, vocabulary);
        long size = Size(rows, vocabulary);
        Need(logProbabilities, size);
        Need(answers, items);
        Need(values, rows);
        if (gradient is not null)
        {
            Need(gradient, size);
            SameOrApart(gradient, logProbabilities, size);
            Apart(gradient, size, answers.Weight, answers.Count);
        }
        if (!Begins(nameof(ProbabilityDifference))) return;
        ProbabilityDifferenceCore(logProbabilities, answers, items, rows, vocabulary, values, gradient);
        Ended();
    }

    /// <summary>
    /// values[r] = sum_j t_j (log t_j - log p_j) with t the target's probabilities; gradient[r] = p - t. The target of row r is row r mod
    /// items.
    /// </summary>
    /// <param name="logProbabilities">[rows, vocabulary].</param>
    /// <param name="target">[items, vocabulary] log-probabilities.</param>
    /// <param name="items">Rows of the target.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="vocabulary">Width of a row.</param>
    /// <param name="values">[rows], out, float64.</param>
    /// <param name="gradient">[rows, vocabulary], out; may be the log-probabilities, must not overlap the target, or null.</param>
    internal void KlDivergence(
        Tensor logProbabilities, Tensor target, int items, int rows, int vocabulary, DeviceArray<double> values, Tensor? gradient)
    {
        AtLeast(0, rows);
        AtLeast(rows == 0 ? 0 : 1, items);
        AtLeast(1, vocabulary);
        long size = Size(rows, vocabulary);
        Need(logProbabilities, size);
        Need(target, Size(items, vocabulary));
        Need(values, rows);
        if (gradient is not null)
        {
            Need(gradient, size);
            SameOrApart(gradient, logProbabilities, size);
            Apart(gradient, size, target, Size(items, vocabulary));
        }
        if (!Begins(nameof(KlDivergence))) return;
        KlDivergenceCore(logProbabilities, target, items, rows, vocabulary, values, gradient);
        Ended();
    }

    /// <summary>gradient[r] = d/d logits of sum_j (p_j - t_j)^2, t the target's probabilities. Row r's target is row r mod items.</summary>
    /// <param name="logProbabilities">[rows, vocabulary].</param>
    /// <param name="target">[items, vocabulary] log-probabilities.</param>
    /// <param name="items">Rows of the target.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="vocabulary">Width of a row.</param>
    /// <param name="gradient">[rows, vocabulary], out; may be the log-probabilities, must not overlap the target.</param>
    internal void ProbabilityDistanceGradient(Tensor logProbabilities, Tensor target, int items, int rows, int vocabulary, Tensor gradient)
    {
        AtLeast(0, rows);
        AtLeast(rows == 0 ? 0 : 1, items);
        AtLeast(1, vocabulary);
        long size = Size(rows, vocabulary);
        Need(logProbabilities, size);
        Need(target, Size(items, vocabulary));
        Need(gradient, size);
        SameOrApart(gradient, logProbabilities, size);
        Apart(gradient, size, target, Size(items, vocabulary));
        if (!Begins(nameof(ProbabilityDistanceGradient))) return;
        ProbabilityDistanceGradientCore(logProbabilities, target, items, rows, vocabulary, gradient);
        Ended();
    }

    /// <summary>values[r] = sum over d of x[r, d] y[r mod period, d], in float64.</summary>
    /// <param name="x">[rows, width].</param>
    /// <param name="y">[period, width].</param>
    /// <param name="period">Rows of y.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="values">[rows], out.</param>
    internal void RowDots(Tensor x, Tensor y, int period, int rows, int width, DeviceArray<double> values)
    {
        AtLeast(0, rows);
        AtLeast(rows == 0 ? 0 : 1, period);
        AtLeast(1, width);
        Need(x, Size(rows, width));
        Need(y, Size(period, width));
        Need(values, rows);
        if (!Begins(nameof(RowDots))) return;
        RowDotsCore(x, y, period, rows, width, values);
        Ended();
    }

    /// <summary>indices[r] = position of the row's largest element, the first of equal ones.</summary>
    /// <param name="x">[rows, width].</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="indices">[rows], out.</param>
    internal void ArgMax(Tensor x, int rows, int width, DeviceArray<int> indices)
    {
        AtLeast(0, rows);
        AtLeast(1, width);
        Need(x, Size(rows, width));
        Need(indices, rows);
        if (!Begins(nameof(ArgMax))) return;
        ArgMaxCore(x, rows, width, indices);
        Ended();
    }

    /// <inheritdoc cref="LogSoftmax" />
    private protected abstract void LogSoftmaxCore(Tensor logits, int rows, int vocabulary);

    /// <inheritdoc cref="WeightedRowSums" />
    private protected abstract void WeightedRowSumsCore(Tensor table, in AnswerTokens answers, int items, int width, Tensor output);

    /// <inheritdoc cref="ProbabilityDifference" />
    private protected abstract void ProbabilityDifferenceCore(
        Tensor logProbabilities, in AnswerTokens answers, int items, int rows, int vocabulary, DeviceArray<double> values,
        Tensor? gradient);

    /// <inheritdoc cref="KlDivergence" />
    private protected abstract void KlDivergenceCore(
        Tensor logProbabilities, Tensor target, int items, int rows, int vocabulary, DeviceArray<double> values, Tensor? gradient);

    /// <inheritdoc cref="ProbabilityDistanceGradient" />
    private protected abstract void ProbabilityDistanceGradientCore(
        Tensor logProbabilities, Tensor target, int items, int rows, int vocabulary, Tensor gradient);

    /// <inheritdoc cref="RowDots" />
    private protected abstract void RowDotsCore(Tensor x, Tensor y, int period, int rows, int width, DeviceArray<double> values);

    /// <inheritdoc cref="ArgMax" />
    private protected abstract void ArgMaxCore(Tensor x, int rows, int width, DeviceArray<int> indices);

    private void Need(in AnswerTokens answers, int items, [CallerMemberName] string op = "")
    {
        AtLeast(0, answers.Count, "answers.Count", op);
        Need(answers.Start, items + 1L, "answers.Start", op);
        Need(answers.Token, answers.Count, "answers.Token", op);
        Need(answers.Weight, answers.Count, "answers.Weight", op);
    }
}
