namespace Gradpath.Kernels;

/// <summary>Is told of every operation that a device does, see <see cref="Device.Watcher"/>.</summary>
internal interface IOpWatcher
{
    /// <summary>An operation is about to be issued. After one that failed there is no <see cref="End"/>.</summary>
    /// <param name="op">The method of <see cref="Device"/>.</param>
    /// <param name="product">The extents of a matrix product; those of other operations are all 0.</param>
    void Begin(string op, in ProductShape product);

    /// <summary>The operation has been issued.</summary>
    void End();
}
