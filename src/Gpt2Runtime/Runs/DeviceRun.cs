using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Runs;

/// <summary>
/// A run on a device from its beginning to its end. It measures the memory that the run takes at most, and when it ends, also by an
/// exception, whatever the run has allocated is freed.
/// </summary>
internal sealed class DeviceRun : IDisposable
{
    private readonly Device _device;
    private readonly AllocationScope _scope;

    /// <summary>Begins a run.</summary>
    /// <param name="device">The device.</param>
    public DeviceRun(Device device)
    {
        _device = device;
        _scope = new AllocationScope(device);
        device.ResetPeak();
    }

    /// <summary>The most memory that was in use on the device since the run began, weights included.</summary>
    public long PeakBytes => _device.PeakBytes;

    /// <inheritdoc />
    public void Dispose() => _scope.Dispose();
}
