using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    private readonly HashSet<Recording> _recordings = [];
    private RecordedPass? _recording;
    private int _scratchGeneration;

    /// <summary>How many recorded passes were launched.</summary>
    internal long ReplayedPasses { get; private set; }

    private protected override bool ReplaysPasses => _options.Graphs;

    /// <summary>
    /// How often a pass of which nobody knows that it repeats runs directly: recording it costs about as much as so many runs, and most
    /// passes do not come so often.
    /// </summary>
    internal int DirectRuns { get; set; } = 3;

    // A pass runs directly the first time, which loads its kernels and lets scratch grow to its size; when it is worth it, it is recorded
    // as a graph; from then on one launch does all of it.
    private protected override void ReplayCore<TState>(RecordedPass slot, TState state, Action<TState> pass)
    {
        if (_recording is not null)
        {
            pass(state);
            return;
        }
        Enter();
        if (slot.Recording is Recording stale && stale.Generation != _scratchGeneration) slot.Dispose();
        if (slot.Runs++ < (slot.Repeats ? 1 : DirectRuns))
        {
            pass(state);
            return;
        }
        if (slot.Recording is null) slot.Recording = Record(slot, state, pass);
        try
        {
            _recent.Add(new KernelLaunch("in a recorded pass", 1, 0, 0));
            _driver.LaunchGraph(((Recording)slot.Recording).Graph, _stream);
            ReplayedPasses++;
        }
        catch (CudaException e)
        {
            throw Fault("a recorded pass could not be launched", e, _recent.ToString());
        }
    }

    private Recording Record<TState>(RecordedPass slot, TState state, Action<TState> pass)
    {
        try
        {
            _driver.BeginCapture(_stream);
            _recording = slot;
            try
            {
                pass(state);
            }
            catch
            {
                _recording = null;
                Abandon();
                throw;
            }
            _recording = null;
            var recording = new Recording(this, _driver.EndCapture(_stream), _scratchGeneration);
            _recordings.Add(recording);
            return recording;
        }
        catch (CudaException e)
        {
            throw Fault("a pass could not be recorded", e);
        }
    }

    // Ends the capture of a pass that failed, whose error is on its way.
    private void Abandon()
    {
        try
        {
            _driver.DestroyGraph(_driver.EndCapture(_stream));
        }
        catch (CudaException)
        {
            // The driver has thrown the broken recording away itself.
        }
    }

    private void RefuseWhileRecording(string what)
    {
        if (_recording is not null) throw new InvalidOperationException($"{what} cannot be part of a recorded pass: do it before or after");
    }

    private sealed class Recording(CudaDevice device, nint graph, int generation) : IDisposable
    {
        public nint Graph => graph;

        public int Generation => generation;

        public void Dispose()
        {
            if (!device._recordings.Remove(this)) return;
            device.Quietly(() =>
            {
                device.SwitchContext();
                device._driver.DestroyGraph(graph);
            });
        }
    }
}
