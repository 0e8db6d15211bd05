namespace Gradpath.Kernels.Cuda;

// Memory between two kernels of one operation. All work runs in order on one stream, so one piece serves every operation in turn.
public sealed partial class CudaDevice
{
    private Tensor? _scratch;
    private Tensor? _partials;
    private Tensor? _arrived;

    /// <summary>Bytes that the device holds for its operations, which <see cref="Device.AllocatedBytes"/> includes.</summary>
    internal long OwnScratchBytes =>
        sizeof(float) * ((Tensor?[])[_scratch, _partials, _arrived, _ones, _cublasWorkspace]).Sum(t => t?.Length ?? 0);

    /// <summary>Partial sums of products and contractions, see <see cref="PartialsBytes"/>.</summary>
    private nint Partials => (_partials ??= AllocateScratch(PartialsBytes)).Address;

    /// <summary>Counters of the blocks that have come to the end of a tile of a split product; zeros whenever no product runs.</summary>
    private nint Arrived => (_arrived ??= AllocateScratch(GemmPlan.MostCounted * sizeof(uint), zeros: true)).Address;

    /// <summary>Memory of unknown content until the next operation asks for some.</summary>
    private nint Scratch(long bytes)
    {
        long has = (_scratch?.Length ?? 0) * sizeof(float);
        if (bytes <= has) return _scratch!.Address;
        _scratch?.Dispose();
        _scratch = null;
        _scratch = AllocateScratch(Math.Max(bytes, 2 * has));
        return _scratch.Address;
    }

    /// <summary>
    /// Memory of the device's own, which belongs to no run's scope. Recorded passes may hold the address of what it replaces, so they are
    /// recorded anew.
    /// </summary>
    private Tensor AllocateScratch(long bytes, bool zeros = false)
    {
        (AllocationScope? scope, Scope) = (Scope, null);
        try
        {
            _scratchGeneration++;
            int floats = checked((int)((bytes + sizeof(float) - 1) / sizeof(float)));
            return zeros ? AllocateZeros(floats) : Allocate(floats);
        }
        finally
        {
            Scope = scope;
        }
    }
}
