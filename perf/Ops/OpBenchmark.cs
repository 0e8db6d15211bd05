using BenchmarkDotNet.Attributes;
using Gradpath.Diagnostics.Ops;
using Gradpath.Kernels;

namespace Gradpath.Perf.Ops;

/// <summary>One op at one shape as a benchmark: operands are made before, the device is waited for after every call.</summary>
[MemoryDiagnoser]
public abstract class OpBenchmark : IDisposable
{
    private Device? _device;
    private WorkOperands? _operands;
    private Action _call = () => { };

    /// <summary>Opens the device of a run.</summary>
    internal static Func<Device> Open { get; set; } = () => throw new InvalidOperationException("no device has been chosen");

    /// <summary>The op and its shape.</summary>
    [ParamsSource(nameof(Cases))]
    public string Case { get; set; } = "";

    /// <summary>The cases of the family.</summary>
    public IEnumerable<string> Cases => OpCatalog.Works.Where(w => w.Op.Family == Family).Select(w => NameOf(w.Op, w.Work));

    /// <summary>The family, as the catalog of ops calls it.</summary>
    public abstract string Family { get; }

    /// <summary>Makes the operands.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _device = Open();
        _operands = new WorkOperands(_device);
        _call = OpCatalog.Works.First(w => NameOf(w.Op, w.Work) == Case).Work.Prepare(_operands);
    }

    /// <summary>Calls the op.</summary>
    [Benchmark]
    public void Call()
    {
        _call();
        _device!.Synchronize();
    }

    /// <summary>Frees the operands.</summary>
    [GlobalCleanup]
    public void Dispose()
    {
        _operands?.Dispose();
        _device?.Dispose();
        GC.SuppressFinalize(this);
    }

    private static string NameOf(OpRow op, OpWork work) => $"{work.Title(op)}: {work.Shape}";
}
