using BenchmarkDotNet.Attributes;
using Gradpath.Host.Bench;
using Gradpath.Kernels;

namespace Gradpath.Perf.Ops;

/// <summary>One op at one shape as a benchmark: operands are made before, the device is waited for after every call.</summary>
[MemoryDiagnoser]
public abstract class OpBenchmark : IDisposable
{
    private Device? _device;
    private OpWorkOperands? _operands;
    private Action _call = () => { };

    /// <summary>Opens the device of a run.</summary>
    internal static Func<Device> Open { get; set; } = () => throw new InvalidOperationException("no device has been chosen");

    /// <summary>The op and its shape.</summary>
    [ParamsSource(nameof(Cases))]
    public string Case { get; set; } = "";

    /// <summary>The cases of the family.</summary>
    public IEnumerable<string> Cases => OpWorks.All.Where(w => Ops.Contains(OpOf(w))).Select(NameOf);

    /// <summary>The ops of the family.</summary>
    public abstract IReadOnlyList<string> Ops { get; }

    /// <summary>Makes the operands.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _device = Open();
        _operands = new OpWorkOperands(_device);
        _call = OpWorks.All.First(w => NameOf(w) == Case).Prepare(_operands);
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

    internal static string OpOf(OpWork work) => work.Op.Split(',')[0];

    private static string NameOf(OpWork work) => $"{work.Op}: {work.Shape}";
}
