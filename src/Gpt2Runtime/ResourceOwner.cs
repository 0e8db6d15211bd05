namespace Gradpath.Gpt2Runtime;

/// <summary>Owns resources, most of them arrays on a device, and disposes of them together: the last one first.</summary>
internal abstract class ResourceOwner : IDisposable
{
    private readonly List<IDisposable> _owned = [];

    /// <inheritdoc />
    public virtual void Dispose()
    {
        for (int i = _owned.Count - 1; i >= 0; i--) _owned[i].Dispose();
        _owned.Clear();
        GC.SuppressFinalize(this);
    }

    /// <summary>Takes over a resource.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <param name="resource">The resource.</param>
    /// <returns>The same resource.</returns>
    protected T Own<T>(T resource)
        where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }
}
