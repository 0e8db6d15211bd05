using Gradpath.Gpt2Runtime.Model;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>Which items are scored together: prompts of like length, as many as memory allows.</summary>
/// <param name="Batches">Item indices of each batch.</param>
/// <param name="Size">Largest number of pairs in a batch.</param>
internal sealed record BatchPlan(IReadOnlyList<int[]> Batches, int Size)
{
    private const int MostRows = 1024;

    /// <summary>Makes a plan.</summary>
    /// <param name="spans">The positions of each item that are run.</param>
    /// <param name="requested">Pairs per batch, or 0 to choose.</param>
    /// <param name="fileOrder">Whether batches are cut from the items as they come, because the batches change the result.</param>
    /// <param name="budget">Bytes that a batch's workspaces may take.</param>
    /// <param name="bytes">What the workspaces take for a batch of given prompt lengths.</param>
    /// <returns>Batches of items in file order, or sorted by length (stable), so that shapes repeat.</returns>
    /// <exception cref="GradpathException">Even one pair does not fit.</exception>
    public static BatchPlan Make(
        IReadOnlyList<PromptSpan> spans, int requested, bool fileOrder, long budget, Func<IReadOnlyList<PromptSpan>, long> bytes)
    {
        int[] order = [.. Enumerable.Range(0, spans.Count)];
        if (!fileOrder) order = [.. order.OrderBy(i => spans[i].Length).ThenBy(i => spans[i].Prefix)];
        int size = requested > 0 ? Math.Min(requested, spans.Count) : Choose(spans, budget, bytes);
        return new BatchPlan([.. order.Chunk(size)], size);
    }

    // The longest prompts make the largest batch. Rows beyond about a thousand per copy make products no faster, only larger.
    private static int Choose(IReadOnlyList<PromptSpan> spans, long budget, Func<IReadOnlyList<PromptSpan>, long> bytes)
    {
        int size = Math.Clamp(MostRows / spans.Max(s => s.Length), 1, spans.Count);
        while (size > 1 && bytes(PromptSpan.Largest(spans, size)) > budget) size = size * 3 / 4;
        long needed = bytes(PromptSpan.Largest(spans, 1));
        if (size == 1 && needed > budget)
        {
            throw new GradpathException(
                $"one pair of {spans.Max(s => s.Total)} tokens needs {needed / 1048576.0:F0} MiB of workspace and {budget / 1048576.0:F0} MiB are free; use shorter prompts, fewer --steps or a machine with more memory");
        }

        // Batches of even size: 20 pairs as 2 x 10, not 16 + 4.
        int batches = (spans.Count + size - 1) / size;
        return (spans.Count + batches - 1) / batches;
    }
}
