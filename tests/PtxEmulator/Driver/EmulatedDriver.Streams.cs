using System.Diagnostics;
using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.PtxEmulator;

/// <summary>Streams, events and recorded work. Times are those of the host.</summary>
internal sealed partial class EmulatedDriver
{
    private readonly HashSet<nint> _streams = [];
    private readonly Dictionary<nint, long> _events = [];
    private readonly Dictionary<nint, List<Action>> _graphs = [];
    private List<Action>? _capturing;
    private nint _captureStream;
    private bool _captureBroken;

    public int LiveStreams => _streams.Count;

    public int LiveEvents => _events.Count;

    public int LiveGraphs => _graphs.Count;

    public nint CreateStream()
    {
        Check("cuStreamCreate");
        nint handle = NewHandle();
        _streams.Add(handle);
        return handle;
    }

    public void DestroyStream(nint stream)
    {
        const string call = "cuStreamDestroy";
        if (!_streams.Contains(stream)) throw new CudaException(call, CudaResult.InvalidHandle, $"handle 0x{stream:x}");

        // Its work is still done.
        if (_failure == CudaResult.Success) Wait(call, stream);
        _streams.Remove(stream);
        _pending.Remove(stream);
    }

    public void Synchronize(nint stream)
    {
        const string call = "cuStreamSynchronize";
        Check(call);
        CheckStream(call, stream);
        NotWhileCapturing(call);
        Wait(call, stream);
    }

    public nint CreateEvent()
    {
        Check("cuEventCreate");
        nint handle = NewHandle();
        _events.Add(handle, 0);
        return handle;
    }

    public void DestroyEvent(nint handle)
    {
        _recorded.Remove(handle);
        if (!_events.Remove(handle)) throw new CudaException("cuEventDestroy", CudaResult.InvalidHandle, $"handle 0x{handle:x}");
    }

    public void RecordEvent(nint handle, nint stream)
    {
        const string call = "cuEventRecord";
        Check(call);
        Get(_events, handle, call);
        bool captured = _capturing is not null && stream == _captureStream;
        Queue(call, stream, () =>
        {
            // It may have been destroyed since.
            if (_events.ContainsKey(handle)) _events[handle] = Stopwatch.GetTimestamp();
        });
        if (captured || !_options.Deferred) return;
        _events[handle] = 0;
        _recorded[handle] = (stream, _lastNumber);
    }

    public void SynchronizeEvent(nint handle)
    {
        const string call = "cuEventSynchronize";
        Check(call);
        Get(_events, handle, call);
        NotWhileCapturing(call);
        WaitForEvent(call, handle);
    }

    public float ElapsedMilliseconds(nint start, nint end)
    {
        const string call = "cuEventElapsedTime";
        Check(call);
        long from = Get(_events, start, call), to = Get(_events, end, call);
        if ((from == 0 && _recorded.ContainsKey(start)) || (to == 0 && _recorded.ContainsKey(end)))
            throw new CudaException(call, CudaResult.NotReady, "an event has not happened yet");
        if (from == 0 || to == 0) throw new CudaException(call, CudaResult.InvalidHandle, "an event was not recorded");
        return (float)Stopwatch.GetElapsedTime(from, to).TotalMilliseconds;
    }

    public void BeginCapture(nint stream)
    {
        const string call = "cuStreamBeginCapture";
        Check(call);
        CheckStream(call, stream);
        NotWhileCapturing(call);
        _capturing = [];
        _captureStream = stream;
        _captureBroken = false;
    }

    public nint EndCapture(nint stream)
    {
        const string call = "cuStreamEndCapture";
        Check(call);
        if (_capturing is null || _captureStream != stream)
            throw new CudaException(call, CudaResult.InvalidValue, "the stream is not recorded");
        List<Action> work = _capturing;
        _capturing = null;
        if (_captureBroken) throw new CudaException(call, CudaResult.StreamCaptureInvalidated);
        nint handle = NewHandle();
        _graphs.Add(handle, work);
        return handle;
    }

    public void LaunchGraph(nint graph, nint stream)
    {
        const string call = "cuGraphLaunch";
        Check(call);
        CheckStream(call, stream);
        NotWhileCapturing(call);
        foreach (Action work in Get(_graphs, graph, call)) Do(stream, work);
    }

    public void DestroyGraph(nint graph)
    {
        if (!_graphs.Remove(graph)) throw new CudaException("cuGraphExecDestroy", CudaResult.InvalidHandle, $"handle 0x{graph:x}");
    }

    private void CheckStream(string call, nint stream)
    {
        if (stream != 0 && !_streams.Contains(stream)) throw new CudaException(call, CudaResult.InvalidHandle, $"stream 0x{stream:x}");
    }

    // Does work now or, while its stream is recorded, keeps it.
    private void Queue(string call, nint stream, Action work)
    {
        Check(call);
        CheckStream(call, stream);
        if (_capturing is not null && stream == _captureStream) _capturing.Add(work);
        else Do(stream, work);
    }

    // A call that would wait or change memory breaks the recording, as the driver has it in its default mode.
    private void NotWhileCapturing(string call)
    {
        if (_capturing is null) return;
        _captureBroken = true;
        throw new CudaException(call, CudaResult.StreamCaptureUnsupported);
    }
}
