using System.Diagnostics;
using Gradpath.Kernels;

namespace Gradpath.Perf;

/// <summary>
/// What each op of a device costs while this watches it. The device is waited for before and after each op, so that a GPU's time falls to
/// the op that took it. Matrix products are told apart by shape.
/// </summary>
internal sealed class OpProfile : IOpWatcher, IDisposable
{
    private readonly Device _device;
    private readonly Dictionary<string, OpCost> _costs = [];
    private string _op = "";
    private double _flops;
    private long _start;

    /// <summary>Begins to watch.</summary>
    /// <param name="device">The device; nobody else may be watching it.</param>
    public OpProfile(Device device)
    {
        if (device.Watcher is not null) throw new InvalidOperationException("the device is being watched");
        _device = device;
        device.Watcher = this;
    }

    /// <summary>Costs by op.</summary>
    public IReadOnlyDictionary<string, OpCost> Costs => _costs;

    /// <summary>Forgets the costs.</summary>
    public void Clear() => _costs.Clear();

    /// <inheritdoc />
    public void Begin(string op, in ProductShape product)
    {
        (_op, _flops) = (op, 2.0 * product.Batch * product.Rows * product.Columns * product.Depth);
        if (product.Batch > 0)
        {
            string batch = product.Batch > 1 ? $", {product.Batch} at once" : "";
            _op = $"{op} {product.Rows} x {product.Columns} x {product.Depth}{batch}";
        }
        _device.Synchronize();
        _start = Stopwatch.GetTimestamp();
    }

    /// <inheritdoc />
    public void End()
    {
        _device.Synchronize();
        double seconds = Stopwatch.GetElapsedTime(_start).TotalSeconds;
        if (!_costs.TryGetValue(_op, out OpCost? cost)) _costs.Add(_op, cost = new OpCost());
        cost.Calls++;
        cost.Seconds += seconds;
        cost.Flops += _flops;
    }

    /// <summary>Watches no more.</summary>
    public void Dispose() => _device.Watcher = null;
}
