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
    public ScoringBatch(Device device, IReadOnlyList<PromptPair> pairs, int[] items, double[] itemWeights)
    {
        Items = items;
        Pairs = [.. items.Select(i => pairs[i])];
        Lengths = [.. Pairs.Select(p => p.Length)];
        CleanTokens = device.Store<int>([.. Pairs.SelectMany(p => p.Clean)]);
        CorruptedTokens = device.Store<int>([.. Pairs.SelectMany(p => p.Corrupted)]);
        HostItemWeights = [.. items.Select(i => itemWeights[i])];
        ItemWeights = device.StoreTensor([.. HostItemWeights.Select(w => (float)w)], items.Length);
        float[] rows = [.. items.SelectMany((item, i) => Enumerable.Repeat((float)itemWeights[item], Lengths[i]))];
        RowWeights = device.StoreTensor(rows, rows.Length);
    }

    /// <summary>Indices of the items in the order given by the user.</summary>
    public int[] Items { get; }

    /// <summary>The items.</summary>
    public PromptPair[] Pairs { get; }

    /// <summary>Tokens of each item.</summary>
    public int[] Lengths { get; }

    /// <summary>Rows of one copy.</summary>
    public int Rows => (int)CleanTokens.Length;

    /// <summary>Clean token ids, prompts one after the other.</summary>
    public DeviceArray<int> CleanTokens { get; }

    /// <summary>Corrupted token ids.</summary>
    public DeviceArray<int> CorruptedTokens { get; }

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
        ItemWeights.Dispose();
        RowWeights.Dispose();
    }
}
