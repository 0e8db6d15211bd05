using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Options;
using Gradpath.Host.Reports;
using Gradpath.Kernels;

namespace Gradpath.Host.Sessions;

/// <summary>A model on its device with prompts, ready to run circuits; what all commands that evaluate begin with.</summary>
internal sealed class EvaluationSession : IDisposable
{
    private readonly Device _device;
    private readonly Gpt2Checkpoint _checkpoint;
    private readonly Gpt2Weights _model;
    private readonly bool _owns;

    private EvaluationSession(
        Device device,
        Gpt2Checkpoint checkpoint,
        Gpt2Weights model,
        PromptSet prompts,
        EvaluationOptions options,
        ulong seed,
        StageClock clock,
        bool owns = true)
    {
        _device = device;
        _checkpoint = checkpoint;
        _model = model;
        Prompts = prompts;
        Options = options;
        Seed = seed;
        Clock = clock;
        _owns = owns;
    }

    /// <summary>The weights of the model that runs.</summary>
    public Gpt2Weights Weights => _model;

    /// <summary>The prompts.</summary>
    public PromptSet Prompts { get; }

    /// <summary>The metric.</summary>
    public Metric Metric => Prompts.Metric;

    /// <summary>Ablation and batch size.</summary>
    public EvaluationOptions Options { get; }

    /// <summary>The seed of every random draw.</summary>
    public ulong Seed { get; }

    /// <summary>The time spent so far.</summary>
    public StageClock Clock { get; }

    /// <summary>Opens the model and reads the prompts.</summary>
    /// <param name="o">Options that <see cref="PromptedOptions.CheckShared"/> has passed.</param>
    /// <param name="given">The circuits or scores that the run uses. A model of another shape is refused before the weights are read, and
    /// another origin is said.</param>
    /// <param name="terminal">Told which device was chosen, and of other origins.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <param name="adjust">Changes which prompts are read; null for those that the options name.</param>
    /// <param name="fits">Refuses a model that the options do not fit, before the weights are read; null where any fits.</param>
    public static EvaluationSession Open(
        PromptedOptions o, IReadOnlyList<GivenFile> given, Terminal terminal, CancellationToken cancellation,
        Func<PromptRequest, PromptRequest>? adjust = null, Action<Gpt2Config>? fits = null)
    {
        PromptRequest prompts = adjust is null ? o.Prompts() : adjust(o.Prompts());
        var ablation = EnumNames.Parse<Ablation>("ablation", o.Ablation);
        SessionRequest request = new(o.Model, prompts, new() { Ablation = ablation, BatchSize = o.BatchSize ?? 0 }, o.Seed);
        return Open(o, request, given, terminal, cancellation, fits);
    }

    /// <summary>Opens the model and reads the prompts that a command chooses itself.</summary>
    /// <param name="o">The device.</param>
    /// <param name="request">The model, the prompts, how circuits are evaluated, and the seed.</param>
    /// <param name="given">The circuits or scores that the run uses.</param>
    /// <param name="terminal">Told which device was chosen, and of other origins.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <param name="fits">Refuses a model that the options do not fit, before the weights are read; null where any fits.</param>
    public static EvaluationSession Open(
        DeviceOptions o, SessionRequest request, IReadOnlyList<GivenFile> given, Terminal terminal, CancellationToken cancellation,
        Action<Gpt2Config>? fits = null)
    {
        StageClock clock = new(terminal);
        clock.Start("load");
        Device device = ComputeDevice.Open(o, terminal);
        RunDetails.Device(terminal, device);
        Gpt2Checkpoint? checkpoint = null;
        try
        {
            checkpoint = Gpt2Checkpoint.Open(ModelLocator.Resolve(request.Model));
            foreach (GivenFile file in given) file.RequireModel(checkpoint.Config);
            fits?.Invoke(checkpoint.Config);
            clock.Start("tokenise");
            PromptSet prompts = request.Prompts.Load(checkpoint, terminal, cancellation);
            RunDetails.Prompts(terminal, prompts);
            clock.Start("load");
            Gpt2Weights model = ModelLoading.Load(request.Model, checkpoint, device, terminal, cancellation);
            RunDetails.Model(terminal, checkpoint, model);
            EvaluationSession session = new(
                device, checkpoint, model, prompts, request.Options, (ulong)(request.Seed ?? 0), clock);
            foreach (GivenFile file in given) Origins.Compare(terminal, file, session.Provenance(0));
            return session;
        }
        catch
        {
            checkpoint?.Dispose();
            device.Dispose();
            throw;
        }
    }

    /// <summary>The same model and options with other prompts. This session keeps the model and is disposed of last.</summary>
    /// <param name="prompts">The prompts.</param>
    public EvaluationSession On(PromptSet prompts) => new(_device, _checkpoint, _model, prompts, Options, Seed, Clock, owns: false);

    /// <summary>Reads or makes further prompts for the same model, such as those of another task.</summary>
    /// <param name="request">Which.</param>
    /// <param name="terminal">Told what a user should know of them.</param>
    /// <param name="cancellation">Stops the work.</param>
    public PromptSet Load(PromptRequest request, Terminal terminal, CancellationToken cancellation)
    {
        Clock.Start("tokenise");
        PromptSet prompts = request.Load(_checkpoint, terminal, cancellation);
        RunDetails.Prompts(terminal, prompts);
        return prompts;
    }

    /// <summary>The circuit that is known of the model on the task; null where there is none.</summary>
    /// <exception cref="GradpathException">The circuit beside the model cannot be read.</exception>
    public (Circuit Circuit, string Name)? Known() => KnownCircuit.Of(_checkpoint, _model.Name, Prompts.Task);

    /// <summary>The provenance of a result of this session.</summary>
    /// <param name="batchSize">Prompt pairs per pass.</param>
    public Provenance Provenance(int batchSize) => RunProvenance.Of(_model, Prompts, batchSize) with
    {
        Metric = Metric.Name,
        Ablation = EnumNames.Of(Options.Ablation),
        Seed = (long)Seed,
    };

    /// <summary>The provenance of a result about a circuit from a file, with that file's own.</summary>
    /// <param name="batchSize">Prompt pairs per pass.</param>
    /// <param name="circuit">The file.</param>
    public JsonObject ProvenanceJson(int batchSize, GivenFile circuit)
    {
        JsonObject json = Provenance(batchSize).ToJson();
        json["circuit"] = circuit.ToJson();
        return json;
    }

    /// <summary>
    /// What every search on a model and prompts depends on, to the last bit. A command adds its own options and keeps all in its progress
    /// file, so that only the same search goes on from there.
    /// </summary>
    /// <param name="o">The command's options.</param>
    /// <returns>Names as messages show them, with their values.</returns>
    public JsonObject RunIdentity(PromptedOptions o) => SearchRun.Identity(Provenance(0), Weights.Device, o);

    /// <summary>Adds to a report what was used and how long it took.</summary>
    /// <param name="report">The report.</param>
    /// <param name="batchSize">Prompt pairs per pass.</param>
    /// <param name="peakBytes">Most device memory in use.</param>
    /// <param name="plan">How the run was cut, where the report states it.</param>
    /// <param name="where">Where edges are ablated.</param>
    public void Describe(
        CommandReport report, int batchSize, long peakBytes, BatchSummary? plan = null, string where = "at all positions")
    {
        Provenance p = Provenance(batchSize);
        report.Provenance ??= p.ToJson();
        report.Plain($"metric {p.Metric}, ablation {p.Ablation} of edges, {where}; {Sizes.Of(p.Items ?? 0, "prompt pair")} of "
            + $"{p.Task} ({p.Data})");
        report.Plain(TokenizerNotes.BeginToken(p));
        RunFacts.Device(report, p, peakBytes);
        RunFacts.Plan(report, plan);
        RunFacts.Time(report, Clock);
    }

    /// <summary>Adds to a report how many prompt pairs the full model hardly moves, where there are any.</summary>
    /// <param name="report">The report.</param>
    /// <param name="result">The evaluation.</param>
    public static void DescribeSmallEffects(CommandReport report, EvaluationResult result)
    {
        bool[] small = Faithfulness.SmallEffects(result.Full, result.Empty);
        int count = small.Count(s => s);
        report.Fact("small_effects", count);
        if (count == 0) return;
        report.Note($"small effects: on {Sizes.Count(count)} of {Sizes.Of(small.Length, "prompt pair")} the full model and the empty "
            + "circuit differ by less than a tenth of the mean difference; faithfulness says little of those.");
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (!_owns) return;
        _model.Dispose();
        _checkpoint.Dispose();
        _device.Dispose();
    }
}
