namespace Gradpath.Kernels;

/// <summary>Per item, the tokens that are judged: right answers with weight +1, wrong ones with -1 (or as a metric weights them).</summary>
/// <param name="Start">[items + 1]: where an item's tokens start.</param>
/// <param name="Token">Token ids of all items; no id twice within an item.</param>
/// <param name="Weight">Weight of each token.</param>
public sealed record AnswerTokens(DeviceArray<int> Start, DeviceArray<int> Token, DeviceArray<float> Weight) : IDisposable
{
    /// <inheritdoc />
    public void Dispose()
    {
        Start.Dispose();
        Token.Dispose();
        Weight.Dispose();
    }
}

// Logits: what turns the answer position's output into a metric and its gradient.
public abstract partial class Device
{
    /// <summary>Rows become their log-softmax, in place. Sums in float64.</summary>
    /// <param name="logits">[rows, vocabulary].</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="vocabulary">Width of a row.</param>
    public abstract void LogSoftmax(Tensor logits, int rows, int vocabulary);

    /// <summary>
    /// output[i] = sum over the item's tokens of weight * table[token]: with the unembedding as table, the direction in which the
    /// logit difference grows.
    /// </summary>
    /// <param name="table">[vocabulary, width].</param>
    /// <param name="answers">The items' tokens.</param>
    /// <param name="items">Number of items.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="output">[items, width].</param>
    public abstract void WeightedRowSums(Tensor table, AnswerTokens answers, int items, int width, Tensor output);

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
    public abstract void ProbabilityDifference(Tensor logProbabilities, AnswerTokens answers, int items, int rows, int vocabulary, DeviceArray<double> values, Tensor? gradient);

    /// <summary>values[r] = sum_j t_j (log t_j - log p_j) with t the target's probabilities; gradient[r] = p - t. The target of row r is row r mod items.</summary>
    /// <param name="logProbabilities">[rows, vocabulary].</param>
    /// <param name="target">[items, vocabulary] log-probabilities.</param>
    /// <param name="items">Rows of the target.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="vocabulary">Width of a row.</param>
    /// <param name="values">[rows], out, float64.</param>
    /// <param name="gradient">[rows, vocabulary], out; may be the log-probabilities, or null.</param>
    public abstract void KlDivergence(Tensor logProbabilities, Tensor target, int items, int rows, int vocabulary, DeviceArray<double> values, Tensor? gradient);

    /// <summary>gradient[r] = d/d logits of sum_j (p_j - t_j)^2, t the target's probabilities. Row r's target is row r mod items.</summary>
    /// <param name="logProbabilities">[rows, vocabulary].</param>
    /// <param name="target">[items, vocabulary] log-probabilities.</param>
    /// <param name="items">Rows of the target.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="vocabulary">Width of a row.</param>
    /// <param name="gradient">[rows, vocabulary], out; may be the log-probabilities.</param>
    public abstract void ProbabilityDistanceGradient(Tensor logProbabilities, Tensor target, int items, int rows, int vocabulary, Tensor gradient);

    /// <summary>values[r] = sum over d of x[r, d] y[r mod period, d], in float64.</summary>
    /// <param name="x">[rows, width].</param>
    /// <param name="y">[period, width].</param>
    /// <param name="period">Rows of y.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="values">[rows], out.</param>
    public abstract void RowDots(Tensor x, Tensor y, int period, int rows, int width, DeviceArray<double> values);

    /// <summary>indices[r] = position of the row's largest element, the first of equal ones.</summary>
    /// <param name="x">[rows, width].</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="indices">[rows], out.</param>
    public abstract void ArgMax(Tensor x, int rows, int width, DeviceArray<int> indices);
}
