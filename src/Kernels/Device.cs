namespace Gradpath.Kernels;

/// <summary>
/// Where a model computes: the processor (<see cref="Cpu.CpuDevice"/>) or a GPU (<see cref="Cuda.CudaDevice"/>). This class says what the
/// device is and how much memory a run may take. The operations are the library's own business.
/// </summary>
/// <remarks>
/// A device takes one run at a time: scoring or searching on it from a second thread ends with an <see cref="InvalidOperationException"/>.
/// Two devices may run in two threads.
/// </remarks>
public abstract partial class Device : IDisposable
{
    private long _allocated;
    private long _peak;
    private long _reserved;

    /// <summary>Only the devices of this library are devices.</summary>
    private protected Device()
    {
    }

    /// <summary>What kind of device it is.</summary>
    public abstract DeviceKind Kind { get; }

    /// <summary>What the device is, for reports: processor, instruction set, number of cores.</summary>
    public abstract string Description { get; }

    /// <summary>What the bits of results may depend on: <see cref="Description"/> without the number of threads.</summary>
    public virtual string Identity => Description;

    /// <summary>The device's short name: <c>cpu</c>, <c>cuda:0</c>.</summary>
    public abstract string Name { get; }

    /// <summary>What the factors of matrix products are rounded to.</summary>
    public virtual MatrixPrecision Precision => MatrixPrecision.Float32;

    /// <summary>Who multiplies matrices.</summary>
    public virtual MatrixProvider Multiplier => MatrixProvider.Own;

    /// <summary>Whether an emulator stands in for the device, so that times are none of it.</summary>
    internal virtual bool IsEmulated => false;

    /// <summary>Bytes of the cache before memory that measurements have to get past; 0 where they leave it as it is.</summary>
    internal virtual long CacheBytes => 0;

    /// <summary>SHA-256 of the file of measured plans that decides how matrices are multiplied; null where there is none.</summary>
    internal virtual string? PlansHash => null;

    /// <summary>Bytes of memory that an allocation may still take.</summary>
    public abstract long FreeMemory { get; }

    /// <summary>Bytes of memory that the device has, whatever is free of it now.</summary>
    public abstract long TotalMemory { get; }

    /// <summary>
    /// Bytes that the workspaces of a run may take; null for half of what <see cref="TotalMemory"/> has beside the weights. A run makes its
    /// batches as large as the budget allows. It does not begin where a batch of one prompt pair, or of the number of pairs that was asked
    /// for, needs more than the budget that was set, or more than is free.
    /// </summary>
    public long? MemoryBudget { get; set; }

    /// <summary>
    /// Bytes that batches are planned by: <see cref="MemoryBudget"/>, or half of what <see cref="TotalMemory"/> has beside what is
    /// allocated. What other programs take does not count, so that the same run has the same batches whenever it runs.
    /// </summary>
    public long WorkspaceBudget => MemoryBudget ?? Math.Max(0, TotalMemory - AllocatedBytes) / 2;

    /// <summary>
    /// Begins beside the caller's work what takes time before the first op of a scoring, where there is such a thing. Whoever loads a
    /// model calls it first.
    /// </summary>
    internal virtual void PrepareForScoring()
    {
    }

    /// <summary>
    /// Told of matrices that products will read often and that do not change from here on, so that the device may keep forms of its own of
    /// them.
    /// </summary>
    /// <param name="factors">Matrices as factor B of products.</param>
    /// <returns>What holds these forms; dispose of it before the matrices. Null where there are none.</returns>
    internal virtual IDisposable? PrepareFactors(IReadOnlyList<Matrix> factors) => null;

    /// <summary>Bytes that the workspaces of a run can take at most: what is free, and no more than <see cref="MemoryBudget"/>.</summary>
    internal long WorkspaceLimit => Math.Min(MemoryBudget ?? long.MaxValue, FreeMemory);

    /// <summary>Bytes allocated through this object and not yet freed. Mapped files are not counted.</summary>
    public long AllocatedBytes => Volatile.Read(ref _allocated);

    /// <summary>The largest value that <see cref="AllocatedBytes"/> has had since the last run began.</summary>
    public long PeakBytes => Volatile.Read(ref _peak);

    /// <summary>
    /// Rows of a pass that keep the device fully busy. A pass of more rows takes more memory and is no faster per row.
    /// </summary>
    internal virtual int AmpleRows => 1024;

    /// <summary>Rows of a pass that takes copies of a batch side by side, as many as keep the device busy.</summary>
    /// <param name="onCpu">What a CPU takes: what its caches like for the work in question.</param>
    /// <returns>That, or more where the device needs more to be busy.</returns>
    internal virtual int RowsOfCopies(int onCpu) => onCpu;

    /// <summary>
    /// Floats of readers' gradients up to which several layers' are contracted at once, which reads the writers' differences less often and
    /// meets some writers behind a layer in vain. With 0 each layer is contracted by itself.
    /// </summary>
    internal virtual long ContractedFloats => 0;

    /// <summary>
    /// Bytes of everything that was ever allocated on this device, freed or not: what work allocates shows as its growth.
    /// </summary>
    internal long ReservedBytes => Volatile.Read(ref _reserved);

    /// <summary>The innermost scope that arrays allocated now belong to.</summary>
    internal AllocationScope? Scope { get; set; }

    /// <summary>Frees what the device holds. Arrays on it are of no use any more.</summary>
    public void Dispose()
    {
        if (!Close()) return;
        DisposeCore();
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases what the device holds; called once.</summary>
    private protected abstract void DisposeCore();
}
