using System.Globalization;
using CommandLine;
using CommandLine.Text;
using Gradpath.Diagnostics.Bench;
using Gradpath.Diagnostics.Ops;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath bench</c>.</summary>
[Verb("bench", HelpText = "Time every op and whole works on random weights against what the device could do.")]
internal sealed class BenchOptions : DeviceOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Option("only", MetaValue = "NAMES", Separator = ',',
        HelpText = "Only the ops and works whose names begin so: Gemm,ContractEdges,W1 (default: all).")]
    public IEnumerable<string> Only { get; set; } = [];

    [Option("quick", HelpText = "Fewer and shorter rounds, samples of W4 and W7, no GPT-2 XL.")]
    public bool Quick { get; set; }

    [Option("tune", HelpText =
        "On a GPU: measure how the products of the works are best cut up, and write the plans that --plans reads "
            + "(default: where they are looked for when it is not given).")]
    public bool Tune { get; set; }

    [Option("shape", MetaValue = "NAME", HelpText = "Of --tune: GPT-2's shape: tiny, small (the default), medium, large or xl.")]
    public string? Shape { get; set; }

    /// <summary>The shape that is tuned for.</summary>
    public string TunedShape => Shape ?? "small";

    [Output]
    [Option("out", MetaValue = "FILE", HelpText =
        "Write the machine and the measurements (seconds, flops, bytes, share_of_limit and more) as JSON; with --tune the plans.")]
    public string? Out { get; set; }

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("Every op and work, in a few minutes", s_short, new BenchOptions { Quick = true, Out = "bench.json" }),
        new("Products and one work", s_short, new BenchOptions { Only = ["Gemm", "W1"] }),
        new("How products are best cut up on this GPU", s_short, new BenchOptions { Device = "cuda", Tune = true }),
    ];
}

/// <summary><c>gradpath bench</c>: measures the device, every op, then whole works, and states each as a share of the limit.</summary>
internal static class BenchCommand
{
    public static CommandReport Run(BenchOptions o, Terminal terminal, CancellationToken cancellation)
    {
        string[] only = [.. o.Only];
        bool Wanted(string name) => only.Length == 0 || only.Any(o => name.StartsWith(o, StringComparison.OrdinalIgnoreCase));
        string[] names = [.. OpCatalog.Works.Select(w => w.Work.Title(w.Op)).Concat(Works.ByModel.SelectMany(m => m.Names)).Distinct()];
        foreach (string word in only)
        {
            if (word.Length > 0 && names.Any(n => n.StartsWith(word, StringComparison.OrdinalIgnoreCase))) continue;
            throw new UsageException($"--only {word}: nothing that can be timed begins so; there are "
                + $"{string.Join(", ", names.Select(n => n.Split(',')[0]).Distinct())}.");
        }
        if (o.Shape is not null && !o.Tune) throw new UsageException($"--shape {o.Shape} is for --tune; bench goes through all shapes.");
        if (!Workloads.ShapeNames.Contains(o.TunedShape))
            throw new UsageException($"--shape {o.Shape}: {TableNames.Unknown("shape", o.TunedShape, [.. Workloads.ShapeNames])}.");
        using Device device = ComputeDevice.Open(o, terminal);
        if (o.Tune) return TuneReport.Run(o, [.. Works.ByModel[0].Names.Where(Wanted)], device, terminal, cancellation);

        List<BenchLine> lines = [];
        List<string> notes = [];
        string ceiling = "";
        ScoringProgress.Run(terminal, "bench", progress =>
        {
            BenchTimer timer = new(device, o.Quick, cancellation);
            progress?.Report(new RunProgress(0, 1, "rates"));
            MachineRates rates = MachineRates.Measure(device, timer);
            lines.AddRange(rates.Lines);
            ceiling = rates.FlopSource;
            (OpRow Op, OpWork Work)[] ops = [.. OpCatalog.Works.Where(w => Wanted(w.Work.Title(w.Op)))];
            (string Model, string[] Names)[] works = [.. Works.ByModel.Select(m => (m.Model, Names: m.Names.Where(Wanted).ToArray()))
                .Where(m => m.Names.Length > 0)];
            int total = ops.Length + works.Sum(m => m.Names.Length);
            void Add(BenchLine line)
            {
                lines.Add(line);
                progress?.Report(new RunProgress(lines.Count - rates.Lines.Count, total, line.Name));
            }
            using CudaDevice? cublas = ops.Any(w => w.Op.Name == "Gemm") ? BenchMachine.OpenCublas(device) : null;
            foreach ((OpRow op, OpWork work) in ops)
            {
                BenchLine line = TimeOp(device, timer, rates, work.Title(op), work);
                if (cublas is not null && op.Name == "Gemm")
                    line = line with { CublasSeconds = Seconds(cublas, new BenchTimer(cublas, o.Quick, cancellation), work) };
                Add(line);
            }
            foreach ((string model, string[] wanted) in works)
                TimeWorks(device, timer, rates, model, wanted, o.Quick, Add, notes, cancellation);
            return 0;
        });

        CommandReport report = new();
        report.Table(Table(lines));
        report.Line($"device: {device.Description}", ("device", device.Description));
        string caches = device is CudaDevice
            ? "operands take turns, so that no cache holds them"
            : "operands that a cache holds can pass it";
        report.Note(
            $"The limit is the time of the least bytes at the memory's best rate or of the flops at the {ceiling}, whichever is longer; "
                + $"{caches}.");
        if (device.IsEmulated) report.Note("An emulator stands in for the GPU: the times are the emulator's, and none is a GPU's.");
        foreach (string note in notes) report.Note(note);
        if (o.Out is null) return report;
        BenchLine.Write(o.Out, BenchMachine.Describe(device), lines);
        report.File("measurements", o.Out, $"{lines.Count} measurements: {o.Out}");
        return report;
    }

    private static BenchLine TimeOp(Device device, BenchTimer timer, MachineRates rates, string title, OpWork work)
    {
        return rates.Line(title, work.Shape, device.Name, Seconds(device, timer, work), work.Flops, work.Bytes);
    }

    private static double Seconds(Device device, BenchTimer timer, OpWork work)
    {
        using Rotation rotation = new(device, work.Bytes, work.Prepare);
        return timer.Op(rotation.Run) / rotation.Copies;
    }

    private static void TimeWorks(
        Device device, BenchTimer timer, MachineRates rates, string model, string[] names, bool quick, Action<BenchLine> add,
        List<string> notes, CancellationToken cancellation)
    {
        string all = string.Join(", ", names);
        if (quick && model == "xl")
        {
            notes.Add($"left out: {all} at GPT-2 {model}'s shape, which --quick does without.");
            return;
        }
        using Gpt2Weights? weights = Works.TryCreate(model, device, out string? obstacle);
        if (weights is null)
        {
            notes.Add($"left out: {all} at GPT-2 {model}'s shape: {obstacle}.");
            return;
        }
        foreach (string name in names)
        {
            Work work = Works.Prepare(name, model, weights, quick, cancellation);
            double seconds = timer.Work(work.Run);
            add(rates.Line(work.Name, work.Shape, device.Name, seconds, work.Flops, work.Bytes));
            if (work.WholeFlops is not { } whole) continue;
            notes.Add(string.Create(CultureInfo.InvariantCulture,
                $"{name} is a sample; all of it has {whole / work.Flops:F0} times the flops, which would take about "
                    + $"{seconds * whole / work.Flops:F0} s (extrapolated, not measured)."));
        }
    }

    private static ReportTableOf<BenchLine> Table(IEnumerable<BenchLine> lines) => ReportTable.Of("measurements", lines)
        .Text("op or work", "name", l => l.Name)
        .Text("shape", "shape", l => l.Shape)
        .Hidden("device", l => l.Device)
        .Column("time", "seconds", l => l.Seconds, l => BenchText.Time(l.Seconds))
        .Hidden("flops", l => l.Flops)
        .Hidden("bytes", l => l.Bytes)
        .Column("GFLOP/s", "flops_per_second", l => l.Flops / l.Seconds, l => BenchText.Rate(l.Flops / l.Seconds))
        .Column("GB/s", "bytes_per_second", l => l.Bytes / l.Seconds, l => BenchText.Rate(l.Bytes / l.Seconds))
        .Column("data sheet", "peak_per_second", l => l.Peak, l => l.Peak is { } peak ? BenchText.Rate(peak) : "-")
        .Column("cuBLAS", "cublas_seconds", l => l.CublasSeconds, l => l.CublasSeconds is { } s ? BenchText.Time(s) : "-")
        .Column("of the limit", "share_of_limit", l => l.ShareOfLimit, l => l.ShareOfLimit.ToString("P0", CultureInfo.InvariantCulture));
}
