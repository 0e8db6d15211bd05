namespace Gradpath.Kernels.Cuda;

// Memory between two kernels of one operation. All work runs in order on one stream, so one piece serves every operation in turn.
public sealed partial class CudaDevice
{
    private Tensor? _scratch;

    /// <summary>Memory of unknown content until the next operation asks for some.</summary>
    private nint Scratch(long bytes)
    {
        long length = (bytes + sizeof(float) - 1) / sizeof(float);
        if (_scratch is null || _scratch.Length < length)
        {
            // Twice the size at least, so that it grows a few times only.
            long larger = Math.Max(length, Math.Min(2 * (_scratch?.Length ?? 0), int.MaxValue));
            _scratch?.Dispose();
            _scratch = null;
            _scratch = AllocateScratch(checked((int)larger));
        }
        return _scratch.Address;
    }
}
