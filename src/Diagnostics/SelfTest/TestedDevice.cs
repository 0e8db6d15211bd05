using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Diagnostics.SelfTest;

/// <summary>The device under test. Where a kernel has broken its context, it is opened anew for what comes next.</summary>
/// <param name="open">Opens it.</param>
internal sealed class TestedDevice(Func<Device> open) : IDisposable
{
    private Device? _device;

    /// <summary>The device, opened where it is not.</summary>
    /// <exception cref="DeviceException">It cannot be opened.</exception>
    public Device Device => _device ??= open();

    /// <summary>Opens the device, if it is not open.</summary>
    /// <returns>Why it cannot be; null where it is open.</returns>
    public DeviceException? TryOpen()
    {
        try
        {
            _ = Device;
            return null;
        }
        catch (DeviceException e)
        {
            return e;
        }
    }

    /// <summary>Closes the device, if it is of no use any more.</summary>
    public void Recover()
    {
        if (_device is CudaDevice { HasFailed: true }) Dispose();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _device?.Dispose();
        _device = null;
    }
}
