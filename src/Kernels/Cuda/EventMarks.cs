using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    /// <summary>
    /// Marks in the order of the device's work, whose distances the GPU's own clock takes: what lies between two of them is timed without
    /// waiting for it.
    /// </summary>
    /// <param name="device">The device.</param>
    internal sealed class EventMarks(CudaDevice device) : IDisposable
    {
        private readonly List<nint> _events = [];
        private int _used;

        /// <summary>Sets a mark behind all work that has been issued.</summary>
        /// <returns>Its number.</returns>
        public int Set()
        {
            device.Enter();
            device.RefuseWhileRecording("a mark");
            try
            {
                if (_used == _events.Count) _events.Add(device._driver.CreateEvent());
                device._driver.RecordEvent(_events[_used], device._stream);
                return _used++;
            }
            catch (CudaException e)
            {
                throw device.WorkFailed(e);
            }
        }

        /// <summary>Waits for the last mark.</summary>
        public void Wait()
        {
            if (_used == 0) return;
            device.Enter();
            try
            {
                device._driver.SynchronizeEvent(_events[_used - 1]);
            }
            catch (CudaException e)
            {
                throw device.WorkFailed(e);
            }
        }

        /// <summary>The time between two marks that have been waited for.</summary>
        /// <param name="from">The first mark.</param>
        /// <param name="to">The second.</param>
        /// <returns>Seconds.</returns>
        public double Seconds(int from, int to)
        {
            device.Enter();
            try
            {
                return device._driver.ElapsedMilliseconds(_events[from], _events[to]) / 1000.0;
            }
            catch (CudaException e)
            {
                throw device.WorkFailed(e);
            }
        }

        /// <summary>Forgets all marks; their events are used again.</summary>
        public void Clear() => _used = 0;

        /// <inheritdoc />
        public void Dispose()
        {
            if (device.IsClosed) return;
            device.Quietly(device.SwitchContext);
            foreach (nint handle in _events) device.Quietly(() => device._driver.DestroyEvent(handle));
            _events.Clear();
            _used = 0;
        }
    }
}
