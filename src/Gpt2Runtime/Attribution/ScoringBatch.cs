using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>The items that are scored together, with their tokens and weights on the device.</summary>
internal sealed class ScoringBatch : IDisposable
{
    /// <summary>Stores a batch.</summary>
    /// <param name="device">The device.</param>
    /// <param name="pairs">All items of the run.</param>
    /// <param name="items">Indices of this batch's items.</param>
    /// <param name="itemWeights">Weight of every item of the run in the final scores.</param>
    /// <param name="spans">The positions of every item that are run; null for whole prompts.</param>
    public ScoringBatch(Device device, IReadOnlyList<PromptPair> pairs, int[] items, double[] itemWeights, IReadOnlyList<PromptSpan>? spans = null)
    {
        Items = items;
        Pairs = [.. items.Select(i => pairs[i])];
        Spans = spans is null ? PromptSpan.Of(Pairs, sharePrefixes: false) : [.. items.Select(i => spans[i])];
        CleanTokens = device.Store<int>([.. Pairs.SelectMany((p, i) => p.Clean[Spans[i].Prefix..])]);
        CorruptedTokens = device.Store<int>([.. Pairs.SelectMany((p, i) => p.Corrupted[Spans[i].Prefix..])]);
        PrefixSpans = PromptSpan.Prefixes(Spans);
        PrefixTokens = device.Store<int>([.. Pairs.SelectMany((p, i) => p.Clean[..Spans[i].Prefix])]);
        HostItemWeights = [.. items.Select(i => itemWeights[i])];
        ItemWeights = device.StoreTensor([.. HostItemWeights.Select(w => (float)w)], items.Length);
        float[] rows = [.. items.SelectMany((item, i) => Enumerable.Repeat((float)itemWeights[item], Spans[i].Length))];
        RowWeights = device.StoreTensor(rows, rows.Length);
    }

    /// <summary>Indices of the items in the order given by the user.</summary>
    public int[] Items { get; }

    /// <summary>The items.</summary>
    public PromptPair[] Pairs { get; }

    /// <summary>The positions of each item that are run.</summary>
    public PromptSpan[] Spans { get; }

    /// <summary>Rows of one copy.</summary>
    public int Rows => (int)CleanTokens.Length;

    /// <summary>Clean token ids of the positions that are run, prompts one after the other.</summary>
    public DeviceArray<int> CleanTokens { get; }

    /// <summary>Corrupted token ids at the same positions.</summary>
    public DeviceArray<int> CorruptedTokens { get; }

    /// <summary>The prefixes, without empty ones, as prompts of their own.</summary>
    public PromptSpan[] PrefixSpans { get; }

    /// <summary>Token ids of the prefixes, which clean and corrupted share.</summary>
    public DeviceArray<int> PrefixTokens { get; }

    /// <summary>Weight of each item in the final scores.</summary>
    public double[] HostItemWeights { get; }

    /// <summary>The same on the device [items].</summary>
    public Tensor ItemWeights { get; }

    /// <summary>The same for each row [rows].</summary>
    public Tensor RowWeights { get; }

    /// <inheritdoc />
    public void Dispose()
    {
        CleanTokens.Dispose();
        CorruptedTokens.Dispose();
        PrefixTokens.Dispose();
        ItemWeights.Dispose();
        RowWeights.Dispose();
    }
}
