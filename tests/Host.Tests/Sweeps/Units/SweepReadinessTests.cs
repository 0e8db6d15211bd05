using Gradpath.Gpt2Runtime;
using Gradpath.Host.Sweeps.Plan;
using Gradpath.Host.Sweeps.Units;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Host.Tests;

/// <summary>What a process does before its first unit, so that the time of that is its own.</summary>
public sealed class SweepReadinessTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Fact]
    public void Device_and_weights_are_there_before_the_first_unit()
    {
        int opened = 0;
        using SweepSession session = Session(() => opened++, memory: null);
        IReadOnlyList<SweepUnit> units = SweepExpansion.Units(session, CancellationToken.None);
        SweepReadiness.Prepare(session, [], CancellationToken.None);
        Assert.Equal(0, opened);
        SweepReadiness.Prepare(session, units, CancellationToken.None);
        Assert.Equal(1, opened);
        long before = session.Device.AllocatedBytes;
        Assert.True(before > 0);
        session.Weights(units[0].Model, CancellationToken.None);
        Assert.Equal(before, session.Device.AllocatedBytes);
        Assert.Equal(1, opened);
    }

    [Fact]
    public void Memory_for_less_than_a_pair_is_the_process_s_fault()
    {
        using SweepSession session = Session(() => { }, memory: 1024);
        IReadOnlyList<SweepUnit> units = SweepExpansion.Units(session, CancellationToken.None);
        GradpathException e = Assert.Throws<GradpathException>(() => SweepReadiness.Prepare(session, units, CancellationToken.None));
        Assert.StartsWith("one pair of up to 5 tokens needs ", e.Message, StringComparison.Ordinal);
    }

    private SweepSession Session(Action opens, long? memory)
    {
        SweepPlan plan = PlanReader.Read(SweepPlans.Tiny(model));
        return new SweepSession(plan, Open, new Terminal(TextReader.Null, TextWriter.Null, TextWriter.Null));

        CpuDevice Open()
        {
            opens();
            return new CpuDevice(1) { MemoryBudget = memory };
        }
    }
}
