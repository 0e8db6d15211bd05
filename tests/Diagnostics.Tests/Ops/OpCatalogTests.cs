using Gradpath.Diagnostics.Ops;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Diagnostics.Tests.Ops;

/// <summary>The catalog has a row for every op, and every row is whole.</summary>
public sealed class OpCatalogTests
{
    [Fact]
    public void Every_op_of_the_device_has_a_row()
    {
        Assert.Equal(DeviceOps.Names, OpCatalog.All.Select(op => op.Name).Order());
        Assert.All(OpCatalog.All, op => Assert.NotEmpty(op.Cases));
        Assert.All(OpCatalog.All, op => Assert.NotEmpty(op.Works));
        Assert.Equal(OpCatalog.Checks.Count, OpCatalog.Checks.Select(c => c.Op).Distinct().Count());
    }

    [Fact]
    public void Every_work_runs_on_its_operands()
    {
        using CpuDevice device = new();
        foreach ((OpRow _, OpWork work) in OpCatalog.Works.Where(w => w.Work.Flops < 1e9))
        {
            using WorkOperands operands = new(device);
            work.Prepare(operands)();
        }
    }
}
