using System.Diagnostics;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Perf;

/// <summary>
/// What each op of a device costs while this watches it. Matrix products are told apart by shape. On a GPU events on its stream take the
/// time, so that nothing is waited for and work follows on work as it does without this; another device is waited for before and after
/// each op. Where NVIDIA's library of ranges is there, each op is a range for its profilers.
/// </summary>
internal sealed class OpProfile : IOpWatcher, IDisposable
{
    // Then the marks are read, which waits for the device.
    private const int MostOpen = 4096;

    private readonly Device _device;
    private readonly Dictionary<string, OpCost> _costs = [];
    private readonly List<(OpCost Cost, int From, int To)> _open = [];
    private readonly CudaDevice.EventMarks? _marks;
    private readonly Nvtx _ranges;
    private readonly Dictionary<(string Op, ProductShape Product), string> _names = [];
    private string _op = "";
    private double _flops;
    private long _start;
    private int _from;

    /// <summary>Begins to watch.</summary>
    /// <param name="device">The device; nobody else may be watching it.</param>
    /// <param name="ranges">Ranges for profilers; null for those of the installed library. Disposed with this.</param>
    public OpProfile(Device device, Nvtx? ranges = null)
    {
        if (device.Watcher is not null) throw new InvalidOperationException("the device is being watched");
        _device = device;
        _ranges = ranges ?? new Nvtx();
        if (device is CudaDevice gpu) _marks = new CudaDevice.EventMarks(gpu);
        device.Watcher = this;
    }

    /// <summary>Costs by op.</summary>
    public IReadOnlyDictionary<string, OpCost> Costs
    {
        get
        {
            ReadMarks();
            return _costs;
        }
    }

    /// <summary>Forgets the costs.</summary>
    public void Clear()
    {
        ReadMarks();
        _costs.Clear();
    }

    /// <summary>Runs something as a range for profilers.</summary>
    /// <param name="name">The range's name.</param>
    /// <param name="work">What is run.</param>
    public void Range(string name, Action work)
    {
        _ranges.Push(name);
        work();
        _ranges.Pop();
    }

    /// <inheritdoc />
    public void Begin(string op, in ProductShape product)
    {
        if (!_names.TryGetValue((op, product), out string? name)) _names.Add((op, product), name = NameOf(op, product));
        (_op, _flops) = (name, 2.0 * product.Batch * product.Rows * product.Columns * product.Depth);
        _ranges.Push(_op);
        if (_marks is not null)
        {
            if (_open.Count == MostOpen) ReadMarks();
            _from = _marks.Set();
            return;
        }
        _device.Synchronize();
        _start = Stopwatch.GetTimestamp();
    }

    /// <inheritdoc />
    public void End()
    {
        if (!_costs.TryGetValue(_op, out OpCost? cost)) _costs.Add(_op, cost = new OpCost());
        if (_marks is not null)
        {
            _open.Add((cost, _from, _marks.Set()));
        }
        else
        {
            _device.Synchronize();
            cost.Seconds += Stopwatch.GetElapsedTime(_start).TotalSeconds;
        }
        _ranges.Pop();
        cost.Calls++;
        cost.Flops += _flops;
    }

    /// <summary>Watches no more.</summary>
    public void Dispose()
    {
        _device.Watcher = null;
        _marks?.Dispose();
        _ranges.Dispose();
    }

    private static string NameOf(string op, in ProductShape product)
    {
        if (product.Batch <= 0) return op;
        string batch = product.Batch > 1 ? $", {product.Batch} at once" : "";
        return $"{op} {product.Rows} x {product.Columns} x {product.Depth}{batch}";
    }

    private void ReadMarks()
    {
        if (_marks is null) return;
        _marks.Wait();
        foreach ((OpCost cost, int from, int to) in _open) cost.Seconds += _marks.Seconds(from, to);
        _open.Clear();
        _marks.Clear();
    }
}
