using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Metrics;

/// <summary>
/// A batch's answers with their weights on a device: above 0 for right ones, below for wrong ones. A token that is listed twice counts
/// twice. Memory is kept from batch to batch and grows where it must.
/// </summary>
/// <param name="device">The device.</param>
/// <param name="mean">Whether an item's right answers share the weight 1, and its wrong ones -1; else each has that weight.</param>
internal sealed class AnswerTable(Device device, bool mean) : IDisposable
{
    private AnswerTokens _answers;
    private int[] _start = [];
    private int[] _tokens = [];
    private float[] _weights = [];

    /// <summary>The answers of the batch.</summary>
    public ref readonly AnswerTokens Answers => ref _answers;

    /// <summary>Takes a batch's answers.</summary>
    /// <param name="pairs">Its items.</param>
    public void Set(IReadOnlyList<PromptPair> pairs)
    {
        int most = 0;
        for (int i = 0; i < pairs.Count; i++) most += pairs[i].Answers.Length + pairs[i].WrongAnswers.Length;
        if (_answers.Start is null || _start.Length <= pairs.Count || _tokens.Length < most)
        {
            Dispose();
            _start = new int[pairs.Count + 1];
            _tokens = new int[most];
            _weights = new float[most];
            _answers = new AnswerTokens(
                device.AllocateArray<int>(pairs.Count + 1), device.AllocateArray<int>(most), device.AllocateArray<float>(most), 0);
        }
        int count = 0;
        for (int i = 0; i < pairs.Count; i++)
        {
            int first = count;
            int[] right = pairs[i].Answers, wrong = pairs[i].WrongAnswers;
            foreach (int token in right) Weigh(token, mean ? 1f / right.Length : 1, first, ref count);
            foreach (int token in wrong) Weigh(token, -(mean ? 1f / wrong.Length : 1), first, ref count);
            _start[i + 1] = count;
        }
        _answers.Start.Upload(_start.AsSpan(0, pairs.Count + 1));
        _answers.Token.Upload(_tokens.AsSpan(0, count));
        _answers.Weight.Upload(_weights.AsSpan(0, count));
        _answers = _answers with { Count = count };
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _answers.Start?.Dispose();
        _answers.Token?.Dispose();
        _answers.Weight?.Dispose();
        _answers = default;
    }

    // Adds to a token's weight among those of an item, which are in order.
    private void Weigh(int token, float weight, int first, ref int count)
    {
        int at = first + _tokens.AsSpan(first, count - first).BinarySearch(token);
        if (at >= first)
        {
            _weights[at] += weight;
            return;
        }
        at = first + ~(at - first);
        _tokens.AsSpan(at, count - at).CopyTo(_tokens.AsSpan(at + 1));
        _weights.AsSpan(at, count - at).CopyTo(_weights.AsSpan(at + 1));
        _tokens[at] = token;
        _weights[at] = weight;
        count++;
    }
}
