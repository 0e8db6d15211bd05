namespace Gradpath.Kernels;

/// <summary>The right to use a device, from <see cref="Device.EnterRun"/>. It lives on the stack of the thread that has it.</summary>
internal readonly ref struct RunLease
{
    private readonly Device _device;

    /// <summary>A run that has been entered.</summary>
    /// <param name="device">The device.</param>
    internal RunLease(Device device) => _device = device;

    /// <summary>Leaves the run; to be called once.</summary>
    public void Dispose() => _device.LeaveRun();
}
