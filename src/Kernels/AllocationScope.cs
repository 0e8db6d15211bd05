namespace Gradpath.Kernels;

/// <summary>
/// Frees, when it ends, every array that was allocated on a device since it began and is still there; so an error on the way, in a
/// constructor too, leaves nothing behind. Scopes nest. Not for use from several threads at once, like the device itself.
/// </summary>
internal sealed class AllocationScope : IDisposable
{
    private readonly Device _device;
    private readonly AllocationScope? _outer;
    private readonly HashSet<IDisposable> _arrays = new(ReferenceEqualityComparer.Instance);

    /// <summary>Begins.</summary>
    /// <param name="device">The device.</param>
    public AllocationScope(Device device)
    {
        _device = device;
        _outer = device.Scope;
        device.Scope = this;
    }

    /// <summary>Leaves what is allocated so far to its owners: the work succeeded. An outer scope takes it over.</summary>
    public void Keep()
    {
        _outer?._arrays.UnionWith(_arrays);
        _arrays.Clear();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (!ReferenceEquals(_device.Scope, this)) return;
        _device.Scope = _outer;
        foreach (IDisposable array in _arrays) array.Dispose();
        _arrays.Clear();
    }

    internal void Add(IDisposable array) => _arrays.Add(array);

    internal void Remove(IDisposable array)
    {
        for (AllocationScope? scope = this; scope is not null && !scope._arrays.Remove(array); scope = scope._outer)
        {
        }
    }
}
