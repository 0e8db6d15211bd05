using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Runs;

/// <summary>
/// A run on a device from its beginning to its end. It holds the device, which lets no other thread in meanwhile. It measures the memory
/// that the run takes at most. When it ends, also by an exception, whatever the run has allocated is freed.
/// </summary>
internal sealed class DeviceRun : IDisposable
{
    private readonly Device _device;
    private readonly AllocationScope _scope;

    /// <summary>Begins a run.</summary>
    /// <param name="device">The device.</param>
    /// <exception cref="InvalidOperationException">Another thread's run holds the device.</exception>
    public DeviceRun(Device device)
    {
        _device = device;
        device.EnterRun();
        _scope = new AllocationScope(device);
        device.ResetPeak();
    }

    /// <summary>The most memory that was in use on the device since the run began, weights included.</summary>
    public long PeakBytes => _device.PeakBytes;

    /// <inheritdoc />
    public void Dispose()
    {
        _scope.Dispose();
        _device.LeaveRun();
    }
}
