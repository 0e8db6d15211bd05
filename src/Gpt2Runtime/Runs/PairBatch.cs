using Gradpath.Gpt2Runtime.Model;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Runs;

/// <summary>Prompt pairs that run together, with their tokens on the device.</summary>
internal class PairBatch : ResourceOwner
{
    /// <summary>Brings a batch to the device.</summary>
    /// <param name="device">The device.</param>
    /// <param name="pairs">All items of the run.</param>
    /// <param name="items">Indices of this batch's items.</param>
    /// <param name="spans">The positions of every item of the run that are run; null for whole prompts.</param>
    public PairBatch(Device device, IReadOnlyList<PromptPair> pairs, int[] items, IReadOnlyList<PromptSpan>? spans = null)
    {
        Items = items;
        Pairs = [.. items.Select(i => pairs[i])];
        Spans = spans is null ? PairSpans.Of(Pairs, sharePrefixes: false) : [.. items.Select(i => spans[i])];
        CleanTokens = Own(device.Store<int>([.. Pairs.SelectMany((p, i) => p.Clean[Spans[i].Prefix..])]));
        CorruptedTokens = Own(device.Store<int>([.. Pairs.SelectMany((p, i) => p.Corrupted[Spans[i].Prefix..])]));
        PrefixSpans = PromptSpan.Prefixes(Spans);
        PrefixTokens = Own(device.Store<int>([.. Pairs.SelectMany((p, i) => p.Clean[..Spans[i].Prefix])]));
    }

    /// <summary>Indices of the items in the order of the prompt set.</summary>
    public int[] Items { get; }

    /// <summary>The items.</summary>
    public PromptPair[] Pairs { get; }

    /// <summary>The positions of each item that are run.</summary>
    public PromptSpan[] Spans { get; }

    /// <summary>Rows of one copy: the positions of all spans.</summary>
    public int Rows => (int)CleanTokens.Length;

    /// <summary>[rows]: clean token ids of the spans, one prompt after the other.</summary>
    public DeviceArray<int> CleanTokens { get; }

    /// <summary>[rows]: corrupted token ids at the same positions.</summary>
    public DeviceArray<int> CorruptedTokens { get; }

    /// <summary>The prefixes in front of the spans as prompts of their own, without empty ones.</summary>
    public PromptSpan[] PrefixSpans { get; }

    /// <summary>Token ids of the prefixes, which clean and corrupted prompts share.</summary>
    public DeviceArray<int> PrefixTokens { get; }
}
