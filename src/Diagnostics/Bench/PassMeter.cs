using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;

namespace Gradpath.Diagnostics.Bench;

/// <summary>
/// What a pass allocates, on any thread and on the device, freed or not: told of progress before and in a pass, it adds up what happens
/// while work gets done. What happens between passes, such as the next batch's tokens coming to the device, is not in it.
/// </summary>
/// <param name="device">The device.</param>
internal sealed class PassMeter(Device device) : IProgress<RunProgress>
{
    private long _done = -1;
    private long _managedBefore;
    private long _deviceBefore;
    private long _managedNow;
    private long _deviceNow;
    private bool _inPass;

    /// <summary>Managed bytes of the last pass.</summary>
    public long Managed { get; private set; }

    /// <summary>Bytes of device memory of the last pass.</summary>
    public long OnDevice { get; private set; }

    /// <inheritdoc />
    public void Report(RunProgress value)
    {
        long managed = GC.GetTotalAllocatedBytes(precise: true), onDevice = device.ReservedBytes;
        if (_done >= 0 && value.Done > _done)
        {
            _managedNow = (_inPass ? _managedNow : 0) + managed - _managedBefore;
            _deviceNow = (_inPass ? _deviceNow : 0) + onDevice - _deviceBefore;
            (Managed, OnDevice, _inPass) = (_managedNow, _deviceNow, true);
        }
        else
        {
            _inPass = false;
        }
        _done = value.Done;
        _deviceBefore = device.ReservedBytes;
        _managedBefore = GC.GetTotalAllocatedBytes(precise: true);
    }
}
