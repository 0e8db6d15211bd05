using System.Globalization;
using CommandLine;
using Gradpath.Diagnostics.Bench;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Gradpath.Kernels.Cuda;
using Gradpath.Programs;
using Gradpath.Programs.Files;
using Gradpath.Programs.Reporting;

namespace Gradpath.Perf;

/// <summary>The options of <c>perf run</c>.</summary>
[Verb("run", HelpText =
    "Times the works W1 (EAP-IG) to W7 (edge pruning) in one table: ours, baseline, floor, memory, allocations.")]
internal sealed class RunOptions : DeviceOptions
{
    [Option("only", MetaValue = "NAMES", Separator = ',', HelpText = "Only these works: W1,W3 (default: all).")]
    public IEnumerable<string> Only { get; set; } = [];

    [Option("shape", MetaValue = "NAME", Default = "small",
        HelpText = "GPT-2 shape of W1 to W4, W6 and W7: tiny, small, medium, large or xl. W5 is W1 at medium and xl and runs beside small "
        + "alone.")]
    public string Shape { get; set; } = "small";

    [Option("quick", HelpText =
        "Five minutes on two quiet cores: fewer rounds, W4 as a sample of edges, W7 as a sample of steps, W5 without xl.")]
    public bool Quick { get; set; }

    [Output]
    [Option("out", MetaValue = "FILE", HelpText =
        "Write a list of objects: work, shape, device, seconds, floor_seconds, ratio_to_floor, baseline, ratio_to_baseline, peak_bytes, "
        + "allocated_bytes_per_pass.")]
    public string? Out { get; set; }

    [Option("python", MetaValue = "PROGRAM", HelpText =
        "The Python whose PyTorch is the baseline of W1 and W3 (default: python3 or /usr/bin/python3, if one has torch).")]
    public string? Python { get; set; }

    [Option("no-baseline", HelpText = "Do not run PyTorch.")]
    public bool NoBaseline { get; set; }
}

/// <summary><c>perf run</c>: every work against its baseline and its floor, all measured in one run.</summary>
internal sealed class RunCommand
{
    // Passes before the one whose allocations are counted: the second of a shape may record what later ones replay.
    private const int WarmPasses = 3;

    private static readonly string[] s_pythons = ["python3", "/usr/bin/python3"];

    private readonly List<RunLine> _lines = [];
    private readonly List<string> _notes = [];
    private readonly RunOptions _options;
    private readonly Device _device;
    private readonly BenchTimer _timer;
    private readonly CancellationToken _cancellation;
    private double _flopRate;
    private double _byteRate;
    private string _rateShape = "";

    private RunCommand(RunOptions options, Device device, CancellationToken cancellation)
    {
        _options = options;
        _device = device;
        _cancellation = cancellation;
        _timer = new BenchTimer(device, options.Quick, cancellation);
    }

    public static CommandReport Run(RunOptions o, Terminal terminal, CancellationToken cancellation)
    {
        ShapeOption.Of(o.Shape);
        List<(string Model, string[] Names)> works = Wanted(o);
        double? load = Machine.Load();
        using Device device = ComputeDevice.Open(o, terminal);
        string described = Machine.Describe(load, Environment.ProcessorCount);
        terminal.Note(described);
        RunCommand run = new(o, device, cancellation);
        ScoringProgress.Run(terminal, "perf", progress =>
        {
            int done = 0, total = works.Sum(w => w.Names.Length);
            foreach ((string model, string[] names) in works)
                run.Measure(model, names, name => progress?.Report(new RunProgress(done++, total, name)));
            return 0;
        });
        run.SetFloors();
        CommandReport report = run.Report(described);
        if (o.Out is null) return report;
        RunLine.Write(o.Out, run._lines);
        report.File("works", o.Out, $"{run._lines.Count} works: {o.Out}");
        return report;
    }

    private static List<(string Model, string[] Names)> Wanted(RunOptions o)
    {
        string[] only = [.. o.Only.Where(n => n.Length > 0)];
        string[] all = [.. Works.ByModel.SelectMany(w => w.Names).Distinct().Order()];
        foreach (string name in only)
        {
            if (!all.Contains(name)) throw new UsageException($"--only {name}: no work is called so; there are {string.Join(", ", all)}.");
            if (name == Works.Large && o.Shape != "small")
                throw new UsageException(
                    $"--only {name}: it is W1 at medium and xl; --shape {o.Shape} --only W1 runs W1 at another shape.");
        }
        return [.. Works.ByModel
            .Where(w => w.Model == "small" || o.Shape == "small")
            .Select(w => (w.Model == "small" ? o.Shape : w.Model, w.Names.Where(n => only.Length == 0 || only.Contains(n)).ToArray()))
            .Where(w => w.Item2.Length > 0)];
    }

    private void Measure(string model, string[] names, Action<string> begin)
    {
        string all = string.Join(", ", names);
        if (_options.Quick && model == "xl" && names is [Works.Large])
        {
            _notes.Add($"left out: {all} at GPT-2 {model}'s shape, which --quick does without.");
            return;
        }
        using Gpt2Weights? weights = Works.TryCreate(model, _device, out string? obstacle);
        if (weights is null)
        {
            _notes.Add($"left out: {all} at GPT-2 {model}'s shape: {obstacle}.");
            return;
        }
        int first = _lines.Count;
        MeasureRates();
        foreach (string name in names)
        {
            begin($"{name}, {model}");
            _lines.Add(Measure(Works.Prepare(name, model, weights, _options.Quick, _cancellation)));
        }
        if (_options.Quick) MeasureRates();
        if (_lines.Skip(first).Any(l => Peer.Works.Contains(l.Work))) Compare(first, model, begin);
    }

    private RunLine Measure(Work work)
    {
        Machine.ResetPeakMemory();
        _device.ResetPeak();
        double seconds = _timer.Work(work.Run);
        long device = _device.PeakBytes, process = Machine.PeakMemory();
        if (!_options.Quick) MeasureRates();
        PassMeter meter = new(_device);
        work.Passes(WarmPasses + 1, meter);
        if (work.WholeFlops is { } whole)
        {
            _notes.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"{work.Name} is a sample; all of it has {whole / work.Flops:F0} times the flops, which would take about "
                    + $"{seconds * whole / work.Flops:F0} s (extrapolated, not measured)."));
        }
        return new RunLine(
            work.Name, work.Shape, _device.Name, seconds, work.Flops, work.Bytes, device, process, meter.Managed, meter.OnDevice);
    }

    private void SetFloors()
    {
        for (int i = 0; i < _lines.Count; i++)
            _lines[i] = _lines[i] with { FloorSeconds = Math.Max(_lines[i].Flops / _flopRate, _lines[i].Bytes / _byteRate) };
    }

    // Before the works, between them and after them (quick: before and after): the best make the floors.
    private void MeasureRates()
    {
        MachineRates rates = MachineRates.Measure(_device, _timer);
        _byteRate = Math.Max(_byteRate, rates.BytesPerSecond);
        if (rates.FlopsPerSecond <= _flopRate) return;
        _flopRate = rates.FlopsPerSecond;
        _rateShape = rates.FlopSource;
    }

    private void Compare(int first, string model, Action<string> begin)
    {
        if (_options.NoBaseline) return;
        string? python = _options.Python ?? Peer.Find(s_pythons);
        if (python is null)
        {
            _notes.Add("no baseline: neither python3 nor /usr/bin/python3 can import torch; --python names another one.");
            return;
        }
        begin("PyTorch");
        Peer? peer = Peer.Measure(
            python, model, _device is CudaDevice ? "cuda" : "cpu", (_device as CpuDevice)?.Workers, out string? obstacle);
        if (peer is null)
        {
            _notes.Add($"no baseline: {obstacle}");
            return;
        }
        if (peer.UpperBound)
            _notes.Add("This PyTorch has no vendor BLAS and runs batched products in a plain loop: the ratios to it are upper bounds of "
                + "those to one that has.");
        _notes.Add($"peak memory of PyTorch, W1 and W3: {Sizes.Bytes(peer.PeakBytes)} "
            + $"{(_device is CudaDevice ? "of device memory" : "resident")}.");
        string title = peer.Title + (peer.UpperBound ? ", no vendor BLAS: upper bound" : "");
        for (int i = first; i < _lines.Count; i++)
        {
            if (peer.Seconds.TryGetValue(_lines[i].Work, out double seconds))
                _lines[i] = _lines[i] with { Baseline = title, BaselineSeconds = seconds };
        }
    }

    private CommandReport Report(string load)
    {
        CommandReport report = new() { Markdown = true };
        report.Line($"device: {_device.Description}; random weights; {Workloads.PairCount} pairs of {Workloads.Tokens} tokens, "
            + $"batch {Workloads.BatchSize} (W7: 32 pairs, batch 32)", ("device", _device.Description));
        report.Line(load + (Machine.Load() is { } now
            ? string.Create(CultureInfo.InvariantCulture, $"; {now:F2} at the end, this program's own threads included") : ""),
            ("load", load));
        report.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"floor: flops that no saving avoids at {_flopRate / 1e9:F0} GFLOP/s ({_rateShape}, registers alone), or "
                + $"bytes of weights at the memory's {_byteRate / 1e9:F1} GB/s, whichever takes longer"),
            ("flops_per_second", _flopRate), ("bytes_per_second", _byteRate));
        report.Note("allocated per pass: from the start of a warm batch of pairs (W7: step), whose tokens are on the device, to its end");
        report.Plain("");
        report.Table(RunLine.Table(_lines));
        report.Plain("");
        foreach (string note in _notes.Distinct()) report.Note(note);
        return report;
    }
}
