namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    /// <inheritdoc />
    public override void GatherRows(Tensor table, DeviceArray<int> indices, int count, int width, Tensor output, Tensor? addend = null) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void ScatterAddRows(Tensor source, DeviceArray<int> indices, int count, int width, Tensor target) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void Combine(float alpha, Tensor a, float beta, Tensor b, long length, Tensor output) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void Fill(Tensor target, float value, long length) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void ScaleRows(Tensor x, Tensor factors, int period, int rows, int width, Tensor output) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void CopyBlock(Tensor source, long sourceOffset, Tensor target, long targetOffset, long length) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void AddBlock(Tensor source, long sourceOffset, Tensor target, long targetOffset, long length) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void CopyMatrix(in Matrix source, in Matrix target) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void SubtractRows(Tensor x, Tensor y, int period, int rows, int width) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void MirrorUpperTriangle(Tensor matrix, int size) => throw new NotImplementedException();
}
