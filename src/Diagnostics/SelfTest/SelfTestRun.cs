using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Diagnostics.SelfTest;

/// <summary>What the stages of a self-test share: the devices, the models on them, what is wanted.</summary>
/// <param name="tested">The device under test.</param>
/// <param name="reference">The device that is trusted; null where nothing is compared with one.</param>
/// <param name="cancellation">Stops the run.</param>
internal sealed class SelfTestRun(TestedDevice tested, Device? reference, CancellationToken cancellation) : IDisposable
{
    private const int DefaultCases = 18;

    private SelfTestModel? _testedModel;
    private SelfTestModel? _trustedModel;
    private ScoredModel? _fullModel;
    private CpuScores? _computed;

    /// <summary>The shape of the model of <see cref="SelfTestStages.Full"/>, a name of <see cref="Bench.Workloads.ShapeNames"/>.</summary>
    public string Shape { get; init; } = "small";

    /// <summary>The CPU's scores of that model from a file; null to compute them.</summary>
    public CpuScores? GivenScores { get; init; }

    /// <summary>Stops the run.</summary>
    public CancellationToken Cancellation => cancellation;

    /// <summary>Random cases per op; a third of them are large.</summary>
    public int Cases { get; init; } = DefaultCases;

    /// <summary>Which checks are wanted, by their names.</summary>
    public Func<string, bool> Wanted { get; init; } = _ => true;

    /// <summary>Told after each check; may be null.</summary>
    public IProgress<RunProgress>? Progress { get; set; }

    /// <summary>What the driver made of the kernels, after the stage that loads them.</summary>
    public List<CudaModuleInfo> Modules { get; } = [];

    /// <summary>The device under test.</summary>
    public Device Device => tested.Device;

    /// <summary>The device that is trusted.</summary>
    public Device Reference => reference ?? throw new InvalidOperationException("nothing is compared in this run");

    /// <summary>The small model on the device under test.</summary>
    public SelfTestModel TestedModel => ModelOn(ref _testedModel, Device);

    /// <summary>The same model on the device that is trusted.</summary>
    public SelfTestModel TrustedModel => ModelOn(ref _trustedModel, Reference);

    /// <summary>The model of <see cref="SelfTestStages.Full"/> on the device under test.</summary>
    public ScoredModel FullModel
    {
        get
        {
            if (_fullModel is not null && ReferenceEquals(_fullModel.Weights.Device, Device)) return _fullModel;
            _fullModel?.Dispose();
            _fullModel = null;
            return _fullModel = new ScoredModel(Shape, Device);
        }
    }

    /// <summary>What the CPU scores that model.</summary>
    public CpuScores CpuScores => GivenScores ?? Compute(null);

    /// <summary>Computes what the CPU scores that model, if that has not been done.</summary>
    /// <param name="progress">Told on the way; may be null.</param>
    public CpuScores Compute(IProgress<RunProgress>? progress) =>
        _computed ??= CpuScores.Compute(Shape, Reference, progress, cancellation);

    /// <summary>Does checks one after another. One that cannot be done is a line with its fault, and the others are done.</summary>
    /// <typeparam name="T">What a check is.</typeparam>
    /// <param name="stage">The stage.</param>
    /// <param name="checks">The checks, of which those are done that are wanted.</param>
    /// <param name="name">The name of a check.</param>
    /// <param name="run">Does a check.</param>
    /// <returns>A line for each.</returns>
    public IReadOnlyList<ComparisonLine> Each<T>(
        string stage, IEnumerable<T> checks, Func<T, string> name, Func<T, ComparisonLine> run)
    {
        T[] wanted = [.. checks.Where(c => Wanted(name(c)))];
        List<ComparisonLine> lines = [];
        foreach (T check in wanted)
        {
            cancellation.ThrowIfCancellationRequested();
            if (tested.TryOpen() is { } closed)
            {
                // What follows would say the same.
                lines.Add(ComparisonLine.Failed(name(check), Faults.OfOpening(closed, stage, wanted.Length - lines.Count)));
                break;
            }
            lines.Add(One(stage, name(check), () => run(check)));
            Progress?.Report(new RunProgress(lines.Count, wanted.Length, name(check)));
        }
        return lines;
    }

    /// <summary>Cases one by one, until the run is stopped.</summary>
    /// <param name="seeds">The cases.</param>
    public IEnumerable<int> UntilStopped(IEnumerable<int> seeds)
    {
        foreach (int seed in seeds)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return seed;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _testedModel?.Dispose();
        _trustedModel?.Dispose();
        _fullModel?.Dispose();
    }

    private ComparisonLine One(string stage, string name, Func<ComparisonLine> run)
    {
        try
        {
            return run();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Whatever it is: a device that computes nonsense shows it in places that nobody foresees.
            tested.Recover();
            return ComparisonLine.Failed(name, Faults.Of(e, stage, name));
        }
    }

    private SelfTestModel ModelOn(ref SelfTestModel? model, Device device)
    {
        if (model is not null && ReferenceEquals(model.Weights.Device, device)) return model;
        model?.Dispose();
        model = null;
        return model = new SelfTestModel(device, cancellation);
    }
}
