using System.Collections.Immutable;
using Gradpath.Gpt2Runtime.Metrics;

namespace Gradpath.Gpt2Runtime.Runs;

/// <summary>
/// What a run goes over: the prompt pairs themselves, or, where answers have several tokens and the metric judges all of them, a pair per
/// token: the prompts with an answer's first tokens behind them, judged by the next one. An item's metric is the sum over its parts.
/// Answers that begin alike share parts.
/// </summary>
internal sealed class AnswerParts
{
    private readonly int[] _items;

    private AnswerParts(IReadOnlyList<PromptPair> pairs, int[] items, int count)
    {
        Pairs = pairs;
        _items = items;
        Count = count;
    }

    /// <summary>What runs. The parts of an item stand together, its prompt as it is first.</summary>
    public IReadOnlyList<PromptPair> Pairs { get; }

    /// <summary>The number of items.</summary>
    public int Count { get; }

    /// <summary>The parts of prompt pairs.</summary>
    /// <param name="pairs">The items.</param>
    /// <param name="metric">What judges them; null where nothing does.</param>
    public static AnswerParts Of(IReadOnlyList<PromptPair> pairs, Metric? metric)
    {
        int[] alone = [.. Enumerable.Range(0, pairs.Count)];
        bool several = metric is { JudgesSequences: true } && pairs.Any(p => p.Sequences is not null);
        if (!several) return new AnswerParts(pairs, alone, pairs.Count);
        List<PromptPair> parts = [];
        List<int> items = [];
        for (int i = 0; i < pairs.Count; i++)
        {
            foreach (PromptPair part in Split(pairs[i]))
            {
                parts.Add(part);
                items.Add(i);
            }
        }
        return new AnswerParts(parts, [.. items], pairs.Count);
    }

    /// <summary>The item that a part belongs to.</summary>
    /// <param name="part">The part.</param>
    public int ItemOf(int part) => _items[part];

    /// <summary>Sums over the parts of each item.</summary>
    /// <param name="values">A value per part.</param>
    /// <returns>A value per item.</returns>
    public double[] Sum(double[] values) => Fold(values, (sum, value) => sum + value);

    /// <summary>The values of each item's prompt as it is.</summary>
    /// <typeparam name="T">What a value is.</typeparam>
    /// <param name="values">A value per part.</param>
    /// <returns>A value per item.</returns>
    public T[] First<T>(T[] values) => Fold(values, (first, _) => first);

    /// <summary>Whether all parts of an item are so that are either.</summary>
    /// <param name="values">A value per part; null for a part that is neither.</param>
    /// <returns>A value per item; null for one whose parts are all null.</returns>
    public bool?[] All(bool?[] values) => Fold(values, (all, value) => all is null || value is null ? all ?? value : all & value);

    private T[] Fold<T>(T[] values, Func<T, T, T> join)
    {
        if (Count == Pairs.Count) return values;
        var items = new T[Count];
        for (int p = 0; p < values.Length; p++)
            items[_items[p]] = p > 0 && _items[p - 1] == _items[p] ? join(items[_items[p]], values[p]) : values[p];
        return items;
    }

    // The answers as a tree: a node is what they begin with, and a part if tokens follow there.
    private static IEnumerable<PromptPair> Split(PromptPair pair)
    {
        if (pair.Sequences is not { } sequences) return [pair];
        var nodes = new List<(int[] Prefix, Dictionary<int, double> Right, Dictionary<int, double> Wrong)>();
        Grow(sequences.Right, right: true);
        Grow(sequences.Wrong, right: false);
        return nodes.OrderBy(node => node.Prefix.Length).Select(node => pair with
        {
            Clean = [.. pair.Clean, .. node.Prefix],
            Corrupted = [.. pair.Corrupted, .. node.Prefix],
            Answers = [.. node.Right.Keys],
            WrongAnswers = [.. node.Wrong.Keys],
            AnswerWeights = [.. node.Right.Values, .. node.Wrong.Values],
            Sequences = null,
        });

        void Grow(ImmutableArray<ImmutableArray<int>> answers, bool right)
        {
            foreach (ImmutableArray<int> answer in answers)
            {
                for (int length = 0; length < answer.Length; length++)
                {
                    int[] prefix = [.. answer[..length]];
                    int at = nodes.FindIndex(node => node.Prefix.AsSpan().SequenceEqual(prefix));
                    if (at < 0)
                    {
                        at = nodes.Count;
                        nodes.Add((prefix, [], []));
                    }
                    Dictionary<int, double> next = right ? nodes[at].Right : nodes[at].Wrong;
                    next[answer[length]] = next.GetValueOrDefault(answer[length]) + ((right ? 1.0 : -1.0) / answers.Length);
                }
            }
        }
    }
}
