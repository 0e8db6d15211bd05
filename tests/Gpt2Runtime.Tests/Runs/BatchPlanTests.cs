using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Gpt2Runtime.Tests.Runs;

public sealed class BatchPlanTests
{
    private const long BytesPerPosition = 100;

    [Theory]
    [InlineData(20, 7000, 7)] // all 20 would take 20,000
    [InlineData(20, 20_000, 20)]
    [InlineData(20, 19_999, 10)]
    [InlineData(20, 1000, 1)]
    [InlineData(5, long.MaxValue / 2, 5)]
    public void The_largest_batch_that_fits_the_budget_is_chosen_and_batches_are_even(int pairs, long budget, int size)
    {
        using var device = new CpuDevice(1) { MemoryBudget = budget };
        BatchPlan plan = BatchPlan.Make(Spans(pairs, 10), 0, false, device, Bytes);
        Assert.Equal(size, plan.Size);
        Assert.Equal(Enumerable.Range(0, pairs), plan.Batches.SelectMany(b => b).Order());
        Assert.True(plan.Batches.Max(b => b.Length) == size && Bytes(PromptSpan.Largest(Spans(pairs, 10), size)) <= budget);
        Assert.Equal(new BatchSummary(plan.Batches.Count, size, 10L * pairs, 0, size * 10 * BytesPerPosition, budget), plan.Summary);
    }

    [Fact]
    public void More_rows_than_are_ample_are_not_put_together()
    {
        using var device = new CpuDevice(1) { MemoryBudget = long.MaxValue / 2 };
        BatchPlan plan = BatchPlan.Make(Spans(1000, 100), 0, false, device, Bytes);
        Assert.InRange(plan.Size * 100, device.AmpleRows / 2, device.AmpleRows);
    }

    [Fact]
    public void What_does_not_fit_is_refused_with_both_numbers()
    {
        using var device = new CpuDevice(1) { MemoryBudget = 1 << 20 };
        static long Large(IReadOnlyList<PromptSpan> batch) => batch.Count * (3L << 20);
        string one = Assert.Throws<GradpathException>(() => BatchPlan.Make(Spans(4, 10), 0, false, device, Large)).Message;
        Assert.Equal(
            "one pair of up to 10 tokens needs 3 MiB of workspace and 1 MiB were allowed (MemoryBudget); "
            + "use shorter prompts, fewer Steps or more memory",
            one);
        string asked = Assert.Throws<GradpathException>(() => BatchPlan.Make(Spans(4, 10), 3, false, device, Large)).Message;
        device.MemoryBudget = 1 << 10;
        Assert.Contains("and 1 KiB were allowed", Assert.Throws<GradpathException>(
            () => BatchPlan.Make(Spans(4, 10), 0, false, device, Large)).Message, StringComparison.Ordinal);
        Assert.Contains("3 pairs of up to 10 tokens need 9 MiB", asked, StringComparison.Ordinal);
        Assert.Contains("use shorter prompts", asked, StringComparison.Ordinal);
        device.MemoryBudget = 7 << 20;
        asked = Assert.Throws<GradpathException>(() => BatchPlan.Make(Spans(4, 10), 3, false, device, Large)).Message;
        Assert.Equal(
            "3 pairs of up to 10 tokens need 9 MiB of workspace and 7 MiB were allowed (MemoryBudget); BatchSize 2 fits, or allow more "
            + "memory",
            asked);
    }

    [Fact]
    public void What_is_not_free_is_refused_without_a_budget_too()
    {
        using var device = new CpuDevice(1);
        long third = device.FreeMemory / 3;
        string message = Assert.Throws<GradpathException>(
            () => BatchPlan.Make(Spans(10, 10), 10, false, device, batch => batch.Count * third)).Message;
        Assert.Contains("are free for it; BatchSize ", message, StringComparison.Ordinal);
        Assert.Equal(1, BatchPlan.Make(Spans(10, 10), 0, false, device, batch => batch.Count * third).Size);
    }

    [Fact]
    public void Batches_do_not_depend_on_what_is_free()
    {
        using var device = new CpuDevice(1);
        long budget = device.WorkspaceBudget;
        using (device.Allocate(1 << 20)) Assert.Equal(budget - (2 << 20), device.WorkspaceBudget);
        byte[] others = GC.AllocateUninitializedArray<byte>(64 << 20);
        Array.Fill(others, (byte)1);
        Assert.Equal(budget, device.WorkspaceBudget);
        Assert.Equal((device.TotalMemory - device.AllocatedBytes) / 2, device.WorkspaceBudget);
        GC.KeepAlive(others);
    }

    [Fact]
    public void Prompts_of_like_length_come_together_unless_the_order_matters()
    {
        using var device = new CpuDevice(1);
        PromptSpan[] spans = [new(0, 7), new(3, 4), new(0, 4), new(0, 7), new(1, 4)];
        Assert.Equal([[2, 4, 1], [0, 3]], BatchPlan.Make(spans, 3, false, device, Bytes).Batches);
        Assert.Equal([[0, 1, 2], [3, 4]], BatchPlan.Make(spans, 3, true, device, Bytes).Batches);
    }

    private static PromptSpan[] Spans(int count, int length) => [.. Enumerable.Repeat(new PromptSpan(0, length), count)];

    private static long Bytes(IReadOnlyList<PromptSpan> batch) => batch.Sum(s => s.Length) * BytesPerPosition;
}
