using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.PtxEmulator;

/// <summary>The driver without a GPU.</summary>
internal sealed class EmulatedDriver : ICudaDriver
{
    public int Version => throw new NotImplementedException();

    public int DeviceCount => throw new NotImplementedException();

    public CudaDeviceInfo Describe(int ordinal) => throw new NotImplementedException();

    public nint CreateContext(int ordinal) => throw new NotImplementedException();

    public void MakeCurrent(nint context) => throw new NotImplementedException();

    public void ReleaseContext(int ordinal, nint context) => throw new NotImplementedException();

    public (long Free, long Total) MemoryInfo() => throw new NotImplementedException();

    public nint LoadModule(string name, ReadOnlySpan<byte> ptx) => throw new NotImplementedException();

    public void UnloadModule(nint module) => throw new NotImplementedException();

    public nint GetFunction(nint module, string name) => throw new NotImplementedException();

    public CudaFunctionInfo DescribeFunction(nint function) => throw new NotImplementedException();

    public void AllowSharedMemory(nint function, int bytes) => throw new NotImplementedException();

    public nint Allocate(long bytes) => throw new NotImplementedException();

    public void Free(nint address) => throw new NotImplementedException();

    public nint AllocatePinned(long bytes) => throw new NotImplementedException();

    public void FreePinned(nint address) => throw new NotImplementedException();

    public void CopyToDevice(nint target, nint source, long bytes, nint stream) => throw new NotImplementedException();

    public void CopyToHost(nint target, nint source, long bytes, nint stream) => throw new NotImplementedException();

    public void CopyOnDevice(nint target, nint source, long bytes, nint stream) => throw new NotImplementedException();

    public void FillBytes(nint target, byte value, long bytes, nint stream) => throw new NotImplementedException();

    public nint CreateStream() => throw new NotImplementedException();

    public void DestroyStream(nint stream) => throw new NotImplementedException();

    public void Synchronize(nint stream) => throw new NotImplementedException();

    public nint CreateEvent() => throw new NotImplementedException();

    public void DestroyEvent(nint handle) => throw new NotImplementedException();

    public void RecordEvent(nint handle, nint stream) => throw new NotImplementedException();

    public void SynchronizeEvent(nint handle) => throw new NotImplementedException();

    public float ElapsedMilliseconds(nint start, nint end) => throw new NotImplementedException();

    public void Launch(nint function, Grid grid, int threads, int sharedBytes, nint stream, ReadOnlySpan<nint> arguments) => throw new NotImplementedException();

    public void BeginCapture(nint stream) => throw new NotImplementedException();

    public nint EndCapture(nint stream) => throw new NotImplementedException();

    public void LaunchGraph(nint graph, nint stream) => throw new NotImplementedException();

    public void DestroyGraph(nint graph) => throw new NotImplementedException();
}
