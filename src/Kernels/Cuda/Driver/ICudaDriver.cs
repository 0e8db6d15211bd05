namespace Gradpath.Kernels.Cuda.Driver;

/// <summary>
/// The part of the CUDA driver that the device uses. <c>LibCuda</c> is the installed driver; the tests run the same device on an
/// emulator. Handles and device addresses are opaque numbers. Every failure is a <see cref="CudaException"/>.
/// </summary>
/// <remarks>
/// A context belongs to the thread that made it current; the other calls act on that one. Work within one stream runs in order.
/// Calls on memory and streams may come from one thread at a time only; compiling may go on beside them.
/// </remarks>
internal interface ICudaDriver
{
    /// <summary>The CUDA version that the driver supports: 1000 major + 10 minor.</summary>
    int Version { get; }

    /// <summary>Which build of the driver compiles, where that is known: another one's images are not used.</summary>
    string Compiler { get; }

    /// <summary>Number of GPUs.</summary>
    int DeviceCount { get; }

    /// <summary>What a GPU is.</summary>
    CudaDeviceInfo Describe(int ordinal);

    /// <summary>How a GPU is, asked without a context; null where the management library is not there or does not know it.</summary>
    GpuState? State(int ordinal);

    /// <summary>Whether no GPU stands behind this, so that times are none of a GPU.</summary>
    bool IsEmulated => false;

    /// <summary>Makes a GPU's primary context and makes it current on this thread.</summary>
    nint CreateContext(int ordinal);

    /// <summary>Makes a context current on this thread.</summary>
    void MakeCurrent(nint context);

    /// <summary>Releases a context from <see cref="CreateContext"/>.</summary>
    void ReleaseContext(int ordinal, nint context);

    /// <summary>Free and total bytes of the current context's GPU.</summary>
    (long Free, long Total) MemoryInfo();

    /// <summary>Compiles PTX for the current context's GPU. Threads may compile side by side, and beside all other calls.</summary>
    /// <param name="name">Where the text comes from, for errors.</param>
    /// <param name="ptx">The text, as UTF-8.</param>
    /// <exception cref="CudaException">The compiler's log is part of the message.</exception>
    CudaImage Compile(string name, ReadOnlySpan<byte> ptx);

    /// <summary>Loads an image, or PTX, which is then compiled.</summary>
    /// <param name="name">Where it comes from, for errors.</param>
    /// <param name="image">The image.</param>
    /// <exception cref="CudaException">The driver's log is part of the message.</exception>
    nint LoadModule(string name, ReadOnlySpan<byte> image);

    /// <summary>Unloads a module.</summary>
    void UnloadModule(nint module);

    /// <summary>Finds an entry point.</summary>
    nint GetFunction(nint module, string name);

    /// <summary>What the compiler made of an entry point.</summary>
    CudaFunctionInfo DescribeFunction(nint function);

    /// <summary>How many blocks of a launch a multiprocessor holds at once.</summary>
    /// <param name="function">The entry point.</param>
    /// <param name="threads">Threads of a block.</param>
    /// <param name="sharedBytes">Dynamic shared memory of a block.</param>
    int ResidentBlocks(nint function, int threads, int sharedBytes);

    /// <summary>Allows a function more dynamic shared memory than the 48 KiB that need no leave.</summary>
    void AllowSharedMemory(nint function, int bytes);

    /// <summary>Allocates device memory, aligned to 256 bytes, of unknown content.</summary>
    nint Allocate(long bytes);

    /// <summary>Frees device memory.</summary>
    void Free(nint address);

    /// <summary>Allocates page-locked host memory, which copies to and from the device do not wait for.</summary>
    nint AllocatePinned(long bytes);

    /// <summary>Frees page-locked host memory.</summary>
    void FreePinned(nint address);

    /// <summary>Queues a copy from host memory; of pageable memory all has been read when this returns.</summary>
    void CopyToDevice(nint target, nint source, long bytes, nint stream);

    /// <summary>Queues a copy to host memory.</summary>
    void CopyToHost(nint target, nint source, long bytes, nint stream);

    /// <summary>Queues a copy within device memory.</summary>
    void CopyOnDevice(nint target, nint source, long bytes, nint stream);

    /// <summary>Queues setting bytes to a value.</summary>
    void FillBytes(nint target, byte value, long bytes, nint stream);

    /// <summary>Makes a stream that does not wait for the default one.</summary>
    nint CreateStream();

    /// <summary>Destroys a stream.</summary>
    void DestroyStream(nint stream);

    /// <summary>Waits for all work of a stream; reports what failed in it.</summary>
    void Synchronize(nint stream);

    /// <summary>Makes an event that takes the time.</summary>
    nint CreateEvent();

    /// <summary>Destroys an event.</summary>
    void DestroyEvent(nint handle);

    /// <summary>Queues an event.</summary>
    void RecordEvent(nint handle, nint stream);

    /// <summary>Waits for an event.</summary>
    void SynchronizeEvent(nint handle);

    /// <summary>Milliseconds between two events that have happened.</summary>
    float ElapsedMilliseconds(nint start, nint end);

    /// <summary>Queues a kernel.</summary>
    /// <param name="function">The entry point.</param>
    /// <param name="grid">Blocks.</param>
    /// <param name="threads">Threads of a block, in x.</param>
    /// <param name="sharedBytes">Dynamic shared memory.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="arguments">Addresses of the arguments, one for each parameter.</param>
    void Launch(nint function, Grid grid, int threads, int sharedBytes, nint stream, ReadOnlySpan<nint> arguments);

    /// <summary>From here on the stream's work is recorded in place of run.</summary>
    void BeginCapture(nint stream);

    /// <summary>Ends the recording and makes it ready to run.</summary>
    /// <returns>The executable graph.</returns>
    nint EndCapture(nint stream);

    /// <summary>Queues all of a graph's work.</summary>
    void LaunchGraph(nint graph, nint stream);

    /// <summary>Destroys a graph from <see cref="EndCapture"/>.</summary>
    void DestroyGraph(nint graph);
}
