namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    /// <inheritdoc />
    public override void Attention(Tensor q, Tensor kv, SequenceLayout layout, int heads, int headWidth, float scale, Tensor probabilities, Tensor z, Tensor? prefix = null) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void AttentionBackward(Tensor dz, Tensor q, Tensor kv, Tensor probabilities, SequenceLayout layout, int heads, int headWidth, float scale, int cotangents, Tensor dq, Tensor dkv, Tensor? prefix = null) => throw new NotImplementedException();
}
