using Gradpath.Kernels.Cpu;

namespace Gradpath.Kernels.Tests;

public sealed class TensorTests
{
    [Fact]
    public void A_slice_shares_the_memory_and_owns_none_of_it()
    {
        using var device = new CpuDevice(1);
        using Tensor whole = device.StoreTensor([0, 1, 2, 3, 4, 5, 6, 7], 2, 4);
        Tensor part = whole.Slice(3, 2, 2);
        Assert.Equal([2, 2], part.Shape.ToArray());
        Assert.Equal([3, 4, 5, 6], part.ToArray());
        part.Upload([9f]);
        part.Dispose();
        Assert.Equal([0, 1, 2, 9, 4, 5, 6, 7], whole.ToArray());
        Assert.Equal(32, device.AllocatedBytes);
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(9, 0)]
    [InlineData(8, 1)]
    [InlineData(1, 8)]
    [InlineData(0, -1)]
    public void A_slice_must_lie_within_its_tensor(long offset, int length)
    {
        using var device = new CpuDevice(1);
        using Tensor whole = device.Allocate(2, 4);
        Assert.Throws<ArgumentOutOfRangeException>(() => whole.Slice(offset, length));
    }

    [Fact]
    public void The_empty_slice_at_the_end_is_one()
    {
        using var device = new CpuDevice(1);
        using Tensor whole = device.Allocate(2, 4);
        Assert.Empty(whole.Slice(8, 0).ToArray());
    }

    [Fact]
    public void A_tensor_is_a_matrix_of_its_last_dimensions_width()
    {
        using var device = new CpuDevice(1);
        using Tensor tensor = device.Allocate(2, 3, 5);
        Matrix matrix = tensor.AsMatrix();
        Assert.Equal((0L, 6, 5, 5), (matrix.Offset, matrix.Rows, matrix.Columns, matrix.Stride));
        Matrix columns = matrix.SliceColumns(1, 3);
        Assert.Equal((1L, 6, 3, 5), (columns.Offset, columns.Rows, columns.Columns, columns.Stride));
        Matrix rows = columns.SliceRows(2, 4);
        Assert.Equal((11L, 4, 3, 5), (rows.Offset, rows.Rows, rows.Columns, rows.Stride));
        Assert.Equal((3, 4), (rows.T.OperandRows, rows.T.OperandColumns));
        Assert.Throws<ArgumentOutOfRangeException>(() => matrix.SliceColumns(3, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => matrix.SliceRows(0, 7));
    }
}
