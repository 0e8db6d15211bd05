using System.Text;

namespace Gradpath.Gpt2Runtime.Tokenization;

/// <summary>
/// Byte-pair encoding of a word in n log n steps, for words so long that <see cref="WordEncoder"/> must not leave them to the library: the
/// symbols are a linked list, and a queue holds the pairs that can be merged, the best rank first and the leftmost of equals.
/// </summary>
internal sealed class LongWordEncoder
{
    private readonly Vocabulary _vocabulary;
    private readonly Dictionary<(int Left, int Right), (int Rank, int Id)> _merges;

    public LongWordEncoder(Vocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        var ids = vocabulary.Ids;
        _merges = new Dictionary<(int Left, int Right), (int Rank, int Id)>(vocabulary.Merges.Count);
        foreach (var (rank, merge) in vocabulary.Merges.Index())
        {
            var space = merge.IndexOf(' ', StringComparison.Ordinal);
            string left = merge[..space], right = merge[(space + 1)..];
            _merges.Add((ids[left], ids[right]), (rank, ids[left + right]));
        }
    }

    /// <summary>The ids of a word whose bytes all are tokens.</summary>
    public int[] Encode(ReadOnlySpan<char> word)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(word)];
        Encoding.UTF8.GetBytes(word, bytes);
        var end = bytes.Length;
        int[] ids = new int[end], previous = new int[end], next = new int[end];
        for (var at = 0; at < end; at++)
            (ids[at], previous[at], next[at]) = (_vocabulary.Ids[ByteAlphabet.ToCharacter(bytes[at]).ToString()], at - 1, at + 1);

        // A pair is known by the place of its left symbol. Its priority is rank and place in one number.
        var pairs = new PriorityQueue<int, long>(end);
        for (var at = 0; at < end; at++)
            Offer(at);
        while (pairs.TryDequeue(out var at, out var priority))
        {
            // The symbols may have been merged otherwise since the pair was offered; then its rank is another one now, or none.
            if (next[at] == end || !_merges.TryGetValue((ids[at], ids[next[at]]), out var merge) || merge.Rank != (int)(priority >> 32))
                continue;

            // A symbol that is gone has no symbol on its right.
            var gone = next[at];
            (ids[at], next[at], next[gone]) = (merge.Id, next[gone], end);
            if (next[at] < end)
                previous[next[at]] = at;
            if (previous[at] >= 0)
                Offer(previous[at]);
            Offer(at);
        }

        var result = new List<int>(end / 2);
        for (var at = 0; at < end; at = next[at])
            result.Add(ids[at]);
        return [.. result];

        void Offer(int at)
        {
            if (next[at] < end && _merges.TryGetValue((ids[at], ids[next[at]]), out var merge))
                pairs.Enqueue(at, ((long)merge.Rank << 32) | (uint)at);
        }
    }
}
