using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    // The GPU's own clock takes the time between two events on the stream, so the host's time to issue work counts only where the GPU waits
    // for it.
    private protected override double TimeCore(Action work, int repeats)
    {
        Enter();
        RefuseWhileRecording("a measurement");
        nint start = 0, end = 0;
        try
        {
            start = _driver.CreateEvent();
            end = _driver.CreateEvent();
            _driver.RecordEvent(start, _stream);
            for (int i = 0; i < repeats; i++) work();

            // The work may have used another GPU, too.
            SwitchContext();
            _driver.RecordEvent(end, _stream);
            _driver.SynchronizeEvent(end);
            return _driver.ElapsedMilliseconds(start, end) / 1000.0 / repeats;
        }
        catch (CudaException e)
        {
            throw WorkFailed(e);
        }
        finally
        {
            Quietly(SwitchContext);
            if (start != 0) Quietly(() => _driver.DestroyEvent(start));
            if (end != 0) Quietly(() => _driver.DestroyEvent(end));
        }
    }
}
