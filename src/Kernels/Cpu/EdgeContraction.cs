using System.Runtime.InteropServices;

namespace Gradpath.Kernels.Cpu;

// scores += delta G^T with a very long inner dimension (rows times D). The inner dimension is cut into slices; each slice is a small
// product of its own, made by one thread in float32, and the slices are added in float64 in their order, so that the result does not
// depend on which thread made which.
public sealed unsafe partial class CpuDevice
{
    /// <inheritdoc />
    public override void ContractEdges(Tensor delta, int writers, Tensor gradients, int readers, long length, DeviceArray<double> scores, int stride, int firstColumn)
    {
        for (int u = 0; u < writers; u++)
        {
            for (int v = 0; v < readers; v++) P(scores)[((long)u * stride) + firstColumn + v] += Dot(P(delta) + (u * length), P(gradients) + (v * length), length);
        }
    }

    /// <summary>Memory for one row of values per worker; grows when a pass is set up with a longer row than before.</summary>
    private float* Scratch(int perWorker)
    {
        long needed = (long)perWorker * Workers;
        if (needed > _scratchLength)
        {
            NativeMemory.AlignedFree(_scratch);
            _scratch = (float*)NativeMemory.AlignedAlloc((nuint)(needed * sizeof(float)), 64);
            _scratchLength = needed;
        }
        return _scratch;
    }

    private float* _scratch;
    private long _scratchLength;
}
