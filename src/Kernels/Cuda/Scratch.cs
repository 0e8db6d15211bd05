namespace Gradpath.Kernels.Cuda;

// Memory between two kernels of one operation. All work runs in order on one stream, so one piece serves every operation in turn.
public sealed partial class CudaDevice
{
    private readonly List<nint> _outgrown = [];
    private nint _scratch;
    private long _scratchBytes;

    /// <summary>
    /// Memory of unknown content until the next operation asks for some. What it outgrew is kept until the device is closed: work that
    /// was recorded may hold the address.
    /// </summary>
    private nint Scratch(long bytes)
    {
        if (bytes <= _scratchBytes) return _scratch;
        if (_scratch != 0) _outgrown.Add(_scratch);
        _scratchBytes = Math.Max(bytes, 2 * _scratchBytes);
        return _scratch = _driver.Allocate(_scratchBytes);
    }

    private void FreeScratch()
    {
        foreach (nint address in _outgrown) Quietly(() => _driver.Free(address));
        if (_scratch != 0) Quietly(() => _driver.Free(_scratch));
    }
}
