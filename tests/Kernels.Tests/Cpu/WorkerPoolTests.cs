using Gradpath.Kernels.Cpu;

namespace Gradpath.Kernels.Tests;

/// <summary>The pool does every part of a job once, whatever the threads are doing, and hands exceptions to the caller.</summary>
public sealed class WorkerPoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)]
    public unsafe void Every_part_is_done_once_by_a_worker_that_exists(int workers)
    {
        using WorkerPool pool = new(workers);
        foreach (int parts in (int[])[0, 1, 2, 3, 7, 64, 1000])
        {
            int[] done = new int[Math.Max(1, parts)];
            fixed (int* pointer = done)
            {
                CountJob job = new() { Done = pointer, Workers = workers };
                pool.Run(ref job, parts);
            }
            Assert.Equal(parts, done.Sum());
            Assert.All(done[..parts], count => Assert.Equal(1, count));
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public unsafe void Many_runs_in_rapid_succession_and_after_pauses_lose_nothing(int workers)
    {
        using WorkerPool pool = new(workers);
        int[] done = new int[6];
        fixed (int* pointer = done)
        {
            CountJob job = new() { Done = pointer, Workers = workers };
            for (int run = 1; run <= 20_000; run++)
            {
                if (run % 4000 == 0) Thread.Sleep(20);
                pool.Run(ref job, 6);
                if (pointer[run % 6] != run) Assert.Fail($"part {run % 6} was done {pointer[run % 6]} times in {run} runs");
            }
        }
        Assert.All(done, count => Assert.Equal(20_000, count));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void The_exception_of_a_part_reaches_the_caller_and_the_pool_lives_on(int workers)
    {
        using WorkerPool pool = new(workers);
        FailingJob failing = new() { FailAt = 5 };
        for (int round = 0; round < 50; round++)
        {
            InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => pool.Run(ref failing, 9));
            Assert.IsType<NotSupportedException>(e.InnerException);
        }
        failing.FailAt = -1;
        pool.Run(ref failing, 9);
    }

    [Fact]
    public unsafe void A_run_allocates_nothing()
    {
        using WorkerPool pool = new(4);
        int[] done = new int[16];
        fixed (int* pointer = done)
        {
            CountJob job = new() { Done = pointer, Workers = 4 };
            ManyRuns();
            Allocations.NoneManaged(ManyRuns);

            void ManyRuns()
            {
                for (int run = 0; run < 1000; run++) pool.Run(ref job, 16);
            }
        }
    }

    [Fact]
    public void Disposing_twice_is_harmless()
    {
        WorkerPool pool = new(3);
        pool.Dispose();
        pool.Dispose();
    }

    private unsafe struct CountJob : IParallelJob
    {
        public int* Done;
        public int Workers;

        public readonly void Execute(int part, int worker)
        {
            if ((uint)worker >= (uint)Workers) throw new InvalidOperationException($"there is no worker {worker}");
            Interlocked.Increment(ref Done[part]);
        }
    }

    private struct FailingJob : IParallelJob
    {
        public int FailAt;

        public readonly void Execute(int part, int worker)
        {
            if (part == FailAt) throw new NotSupportedException("part of a test");
        }
    }
}
