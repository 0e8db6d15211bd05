using System.Globalization;
using CommandLine;
using Gradpath.Diagnostics.Bench;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Gradpath.Programs;
using Gradpath.Programs.Reporting;

namespace Gradpath.Perf;

/// <summary>The options of <c>perf scaling</c>.</summary>
[Verb("scaling", HelpText = "Time of EAP-IG against layers, width, tokens, batch, steps and cores, with fitted exponents.")]
internal sealed class ScalingOptions : DeviceOptions
{
    [Option("quick", HelpText = "A smaller model and fewer rounds.")]
    public bool Quick { get; set; }

    [Option("shape", MetaValue = "NAME", Default = "small", HelpText = "small, or tiny to try the command.")]
    public string Shape { get; set; } = "small";
}

/// <summary>
/// <c>perf scaling</c>: one quantity at a time moves away from a base point, the others stay; the exponent e of time = c x^e is the slope
/// of the least-squares line through log time over log x.
/// </summary>
internal static class ScalingCommand
{
    private const int Vocabulary = 5000;

    public static CommandReport Run(ScalingOptions o, Terminal terminal, CancellationToken cancellation)
    {
        Point start = o.Shape switch
        {
            "small" when o.Quick => new Point(4, 384, 16, 10, 5),
            "small" => new Point(12, 768, 16, 10, 5),
            "tiny" => new Point(2, 128, 8, 2, 2),
            _ => throw new UsageException($"--shape {o.Shape}: choose small or tiny."),
        };
        int rounds = o.Quick ? 3 : 5;
        int[] factors = o.Shape == "tiny" ? [1, 2] : [1, 2, 4];
        string load = Machine.Describe(Machine.Load(), Environment.ProcessorCount);
        using Device device = ComputeDevice.Open(o, terminal);
        (string Name, Point[] Points, Func<Point, int> Value)[] sweeps =
        [
            ("layers", [.. factors.Select(f => start with { Layers = f * start.Layers / 2 })], p => p.Layers),
            ("width", [.. factors.Select(f => start with { Width = f * start.Width / 2 })], p => p.Width),
            ("tokens", [.. factors.Select(f => start with { Tokens = f * start.Tokens })], p => p.Tokens),
            ("pairs of a batch", [.. factors.Select(f => start with { Batch = f * start.Batch / 2 })], p => p.Batch),
            ("steps", [.. factors.Select(f => start with { Steps = f * start.Steps })], p => p.Steps),
        ];
        List<(string Quantity, double[] Values, double[] Seconds)> rows = [];
        ScoringProgress.Run(terminal, "scaling", progress =>
        {
            foreach (var (name, points, value) in sweeps)
            {
                progress?.Report(new RunProgress(rows.Count, sweeps.Length + 1, name));
                cancellation.ThrowIfCancellationRequested();
                rows.Add((name, [.. points.Select(p => (double)value(p))], Seconds(points, _ => device, rounds, cancellation)));
            }
            if (device is not CpuDevice cpu || cpu.Workers == 1) return 0;
            progress?.Report(new RunProgress(rows.Count, sweeps.Length + 1, "cores"));
            int[] cores = [.. Enumerable.Range(0, 32).Select(i => 1 << i).TakeWhile(n => n < cpu.Workers), cpu.Workers];
            CpuDevice[] devices = [.. cores.Select(n => new CpuDevice(n))];
            try
            {
                rows.Add(("cores", [.. cores.Select(n => (double)n)],
                    Seconds([.. cores.Select(_ => start)], i => devices[i], rounds, cancellation)));
            }
            finally
            {
                foreach (CpuDevice d in devices) d.Dispose();
            }
            return 0;
        });
        CommandReport report = new() { Markdown = true };
        report.Line($"EAP-IG on whole prompts, random weights; {device.Description}; base: {start.Layers} layers, width "
            + $"{start.Width}, {start.Tokens} tokens, one batch of {start.Batch} pairs, {start.Steps} steps; medians of {rounds} rounds, "
            + "points in turn", ("device", device.Description), ("rounds", rounds));
        report.Line(load, ("load", load));
        report.Plain("");
        report.Table(ReportTable.Of("quantities", rows)
            .Text("quantity", "quantity", r => r.Quantity)
            .Column("values", "values", r => r.Values, r => string.Join(", ", r.Values), right: false)
            .Column("seconds", "seconds", r => r.Seconds,
                r => string.Join(", ", r.Seconds.Select(s => s.ToString("G3", CultureInfo.InvariantCulture))), right: false)
            .Column("exponent", "exponent", r => Exponent(r.Values, r.Seconds),
                r => Exponent(r.Values, r.Seconds).ToString("F2", CultureInfo.InvariantCulture)));
        return report;
    }

    /// <summary>The slope of the least-squares line through (log x, log y).</summary>
    public static double Exponent(double[] x, double[] y)
    {
        double meanX = x.Average(Math.Log), meanY = y.Average(Math.Log), product = 0, square = 0;
        for (int i = 0; i < x.Length; i++)
        {
            double dx = Math.Log(x[i]) - meanX;
            product += dx * (Math.Log(y[i]) - meanY);
            square += dx * dx;
        }
        return product / square;
    }

    // The models of this table have few tokens.
    private static int[] Known(int[] tokens) => Array.ConvertAll(tokens, token => token % Vocabulary);

    private static double[] Seconds(Point[] points, Func<int, Device> device, int rounds, CancellationToken cancellation)
    {
        List<Gpt2Weights> models = [];
        try
        {
            List<Action> works = [];
            for (int i = 0; i < points.Length; i++)
            {
                Point p = points[i];
                Gpt2Weights weights = RandomGpt2Weights.Create(p.Config, 1, device(i));
                models.Add(weights);
                var prompts = PromptSet.Of([.. Workloads.Pairs(p.Batch, p.Tokens, p.Tokens - 1).Select(x => new PromptPair(
                    Known(x.Clean), Known(x.Corrupted), Known(x.Answers), Known(x.WrongAnswers)))]);
                AttributionOptions options = new() { Method = AttributionMethods.EapIg, Steps = p.Steps, BatchSize = p.Batch };
                works.Add(
                    () => EdgeAttribution.Run(weights, prompts, options, new ScoringHooks { WholePrompts = true }, null, cancellation));
            }
            return points.Length == 0 ? [] : Interleaved.Medians(device(0), rounds, [.. works]);
        }
        finally
        {
            foreach (Gpt2Weights model in models) model.Dispose();
        }
    }

    // Heads are 64 wide, as in every GPT-2.
    private sealed record Point(int Layers, int Width, int Tokens, int Batch, int Steps)
    {
        public Gpt2Config Config =>
            new() { Layers = Layers, Heads = Width / 64, Width = Width, InnerWidth = 4 * Width, Positions = 1024, Vocabulary = Vocabulary };
    }
}
