using System.Globalization;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Runs;

/// <summary>Which items are scored together: prompts of like length, as many as memory allows.</summary>
/// <param name="Batches">Item indices of each batch.</param>
/// <param name="Size">Largest number of pairs in a batch.</param>
internal sealed record BatchPlan(IReadOnlyList<int[]> Batches, int Size)
{
    /// <summary>What a plan that was made comes to, for reports.</summary>
    public BatchSummary Summary => Planned ?? throw new InvalidOperationException("these batches were given, not planned");

    /// <summary>The same; null where the batches were given.</summary>
    public BatchSummary? Planned { get; }

    private BatchPlan(IReadOnlyList<int[]> batches, int size, BatchSummary summary)
        : this(batches, size)
    {
        Planned = summary;
    }

    /// <summary>Makes a plan.</summary>
    /// <param name="spans">The positions of each item that are run.</param>
    /// <param name="requested">Pairs per batch, or 0 for the largest number that the device's <see cref="Device.WorkspaceBudget"/>
    /// allows.</param>
    /// <param name="fileOrder">Whether batches are cut from the items as they come, because the batches change the result.</param>
    /// <param name="device">The device.</param>
    /// <param name="bytes">What the workspaces take for a batch.</param>
    /// <returns>Batches of items in file order, or sorted by length (stable), so that shapes repeat.</returns>
    /// <exception cref="GradpathException">Even one pair does not fit, or the number that was asked for does not fit a budget that was
    /// set, or what is free; the message says which number would.</exception>
    public static BatchPlan Make(
        IReadOnlyList<PromptSpan> spans, int requested, bool fileOrder, Device device, Func<IReadOnlyList<PromptSpan>, long> bytes)
    {
        Dictionary<int, long> known = [];
        int[] order = [.. Enumerable.Range(0, spans.Count)];
        if (!fileOrder) order = [.. order.OrderBy(i => spans[i].Length).ThenBy(i => spans[i].Prefix)];
        long budget = device.WorkspaceBudget;
        int size = requested > 0 ? Math.Min(requested, spans.Count) : Choose(spans, device.AmpleRows, budget, Bytes);
        long planned = Bytes(size), limit = device.WorkspaceLimit;
        if (planned > limit) throw TooLarge(spans, size, planned, device, Fitting(size, limit, Bytes));
        int[][] batches = [.. order.Chunk(size)];
        var summary = new BatchSummary(
            batches.Length, size, spans.Sum(s => (long)s.Length), spans.Sum(s => (long)s.Prefix), planned, budget);
        return new BatchPlan(batches, size, summary);

        long Bytes(int pairs) =>
            known.TryGetValue(pairs, out long found) ? found : known[pairs] = bytes(PromptSpan.Largest(spans, pairs));
    }

    // The longest prompts make the largest batch. More rows than are ample make products no faster, only larger.
    private static int Choose(IReadOnlyList<PromptSpan> spans, int ample, long budget, Func<int, long> bytes)
    {
        int fits = 1;
        int most = Math.Clamp(ample / spans.Max(s => s.Length), 1, spans.Count);
        int over = most + 1;
        while (over - fits > 1)
        {
            // Most often all that is ample fits.
            int middle = over > most ? most : fits + ((over - fits) / 2);
            if (bytes(middle) <= budget) fits = middle;
            else over = middle;
        }

        // Batches of even size: 20 pairs as 2 x 10, not 16 + 4.
        int batches = (spans.Count + fits - 1) / fits;
        return (spans.Count + batches - 1) / batches;
    }

    // The largest number of pairs below one that is too large; 0 where not even one fits.
    private static int Fitting(int over, long limit, Func<int, long> bytes)
    {
        int fits = 0;
        while (over - fits > 1)
        {
            int middle = fits + ((over - fits) / 2);
            if (bytes(middle) <= limit) fits = middle;
            else over = middle;
        }
        return fits;
    }

    private static GradpathException TooLarge(IReadOnlyList<PromptSpan> spans, int size, long needed, Device device, int fits)
    {
        (int tokens, string takes, string has) = (spans.Max(s => s.Total), ByteText.Of(needed), ByteText.Of(device.WorkspaceLimit));
        string need = size == 1
            ? $"one pair of up to {tokens} tokens needs {takes} of workspace"
            : $"{size} pairs of up to {tokens} tokens need {takes} of workspace";
        Term budget = Terms.MemoryBudget, steps = Terms.Steps, smaller = Terms.BatchSize.With(fits);
        bool isFree = device.MemoryBudget is not { } set || set > device.FreeMemory;
        return (isFree, fits) switch
        {
            (true, 0) => GradpathException.Worded($"{need} and {has} are free for it; use shorter prompts, fewer {steps} or more memory"),
            (true, _) => GradpathException.Worded($"{need} and {has} are free for it; {smaller} fits"),
            (false, 0) => GradpathException.Worded(
                $"{need} and {has} were allowed ({budget}); use shorter prompts, fewer {steps} or more memory"),
            _ => GradpathException.Worded($"{need} and {has} were allowed ({budget}); {smaller} fits, or allow more memory"),
        };
    }
}
