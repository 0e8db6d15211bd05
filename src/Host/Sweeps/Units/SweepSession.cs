using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Options;
using Gradpath.Host.Sessions;
using Gradpath.Host.Sweeps.Plan;
using Gradpath.Kernels;

namespace Gradpath.Host.Sweeps.Units;

/// <summary>
/// What the units of a sweep share in one process: the device, open checkpoints, the weights of the model used last, and prompts. Compiled
/// code and recorded passes live as long as it does.
/// </summary>
/// <param name="plan">The plan.</param>
/// <param name="open">Opens the device, once it is needed.</param>
/// <param name="terminal">Told what a user should know of models and prompts, each once.</param>
internal sealed class SweepSession(SweepPlan plan, Func<Device> open, Terminal terminal) : IDisposable
{
    private readonly Dictionary<string, Gpt2Checkpoint> _checkpoints = [];
    private readonly Dictionary<(string Model, SweepTask Task, int Seed, string? Metric), SplitPrompts> _prompts = [];
    private readonly Dictionary<(string Model, SweepTask Task, int Seed, string? Metric), string> _pairs = [];
    private (string Name, Gpt2Weights Weights)? _model;
    private Device? _device;

    /// <summary>The device.</summary>
    public Device Device => _device ??= open();

    /// <summary>Told what a user should know.</summary>
    public Terminal Terminal => terminal;

    /// <summary>The plan.</summary>
    public SweepPlan Plan => plan;

    /// <summary>An open checkpoint with its hash.</summary>
    /// <param name="model">The model, as the plan calls it.</param>
    /// <param name="cancellation">Stops the hashing.</param>
    /// <exception cref="GradpathException">It cannot be opened.</exception>
    public Gpt2Checkpoint Checkpoint(string model, CancellationToken cancellation)
    {
        if (_checkpoints.TryGetValue(model, out Gpt2Checkpoint? known)) return known;
        var checkpoint = Gpt2Checkpoint.Open(ModelLocator.Resolve(model));
        try
        {
            checkpoint.ComputeHash(cancellation);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
        return _checkpoints[model] = checkpoint;
    }

    /// <summary>The weights of a model on the device. Those of another are freed first.</summary>
    /// <param name="model">The model.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="GradpathException">They cannot be read.</exception>
    public Gpt2Weights Weights(string model, CancellationToken cancellation)
    {
        if (_model is { } loaded && loaded.Name == model) return loaded.Weights;
        _model?.Weights.Dispose();
        _model = null;
        Gpt2Weights weights = ModelLoading.Load(model, Checkpoint(model, cancellation), Device, terminal, cancellation);
        _model = (model, weights);
        return weights;
    }

    /// <summary>Closes a device that has failed. The next unit opens it anew, and loads its weights.</summary>
    public void LeaveDevice()
    {
        (Gpt2Weights? weights, Device? device) = (_model?.Weights, _device);
        (_model, _device) = (null, null);
        Close(weights);
        Close(device);

        static void Close(IDisposable? one)
        {
            try
            {
                one?.Dispose();
            }
            catch (DeviceException)
            {
                // What failed cannot be closed either, and goes with the process.
            }
        }
    }

    /// <summary>The pairs of a unit.</summary>
    /// <param name="unit">The unit.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="GradpathException">They cannot be read or made, or there are too few.</exception>
    public SplitPrompts Prompts(SweepUnit unit, CancellationToken cancellation) =>
        Prompts(unit.Model, unit.Task, unit.Seed, MetricOf(unit), cancellation);

    /// <summary>The metric that the plan names for a unit; null for the task's own.</summary>
    /// <param name="unit">The unit.</param>
    public string? MetricOf(SweepUnit unit) => plan.Metrics.Contains(unit.Metric) ? unit.Metric : null;

    /// <summary>
    /// The pairs that circuits are found on and those that judge. Of a file the seed draws which they are; generated ones it makes.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="task">The prompts.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="metric">The metric's name; null for the task's own.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="GradpathException">They cannot be read or made, or there are too few.</exception>
    public SplitPrompts Prompts(string model, SweepTask task, int seed, string? metric, CancellationToken cancellation)
    {
        if (_prompts.TryGetValue((model, task, seed, metric), out SplitPrompts? known)) return known;
        int wanted = plan.Train + plan.Judge;
        if (task.Data is not null && !Path.Exists(task.Data))
        {
            throw new GradpathException($"data: {task.Data}: there is no such file or folder; put it back and let 'gradpath sweep retry' "
                + "forget the failure, or change the plan and run it with --extend");
        }
        PromptRequest request = new()
        {
            Task = task.Task,
            Data = task.Data,
            Limit = task.Data is null ? wanted : null,
            Seed = task.Data is null ? seed : null,
            Metric = metric is null ? null : BuiltInMetrics.Find(metric),
        };
        PromptSet all = request.Load(Checkpoint(model, cancellation), terminal, cancellation);
        if (all.Pairs.Count < wanted)
        {
            string asked = plan.Judge == 0 ? $"{plan.Train}" : $"{plan.Train} to train and {plan.Judge} to judge";
            throw new GradpathException($"{all.Source}: there {(all.Pairs.Count == 1 ? "is" : "are")} "
                + $"{Sizes.Of(all.Pairs.Count, "prompt pair")}, but the plan asks for {asked} (prompts).");
        }
        if (task.Data is not null) all = Drawn(all, seed);
        PromptSet first = all with { Pairs = [.. all.Pairs.Take(wanted)] };
        SplitPrompts split = plan.Judge == 0 ? new SplitPrompts(first, first) : SplitPrompts.Of(first, plan.Train, plan.Judge);
        if (plan.Judge > 0) split.WarnOfShared(terminal, $"{task.Name}, seed {seed}: ");
        return _prompts[(model, task, seed, metric)] = split;
    }

    /// <summary>A hash of the token ids and answers of all pairs, both those that circuits are found on and those that judge. The hash of a
    /// file does not say which ids a vocabulary makes of its texts.</summary>
    /// <param name="model">The model.</param>
    /// <param name="task">The prompts.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="metric">The metric's name; null for the task's own.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="GradpathException">They cannot be read or made, or there are too few.</exception>
    public string PairsHash(string model, SweepTask task, int seed, string? metric, CancellationToken cancellation)
    {
        if (_pairs.TryGetValue((model, task, seed, metric), out string? known)) return known;
        SplitPrompts split = Prompts(model, task, seed, metric, cancellation);
        return _pairs[(model, task, seed, metric)] = PromptSet.Of([.. split.Find.Pairs, .. split.Judge.Pairs]).Hash;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _model?.Weights.Dispose();
        foreach (Gpt2Checkpoint checkpoint in _checkpoints.Values) checkpoint.Dispose();
        _device?.Dispose();
    }

    private static PromptSet Drawn(PromptSet all, int seed)
    {
        PromptPair[] pairs = [.. all.Pairs];
        new SplitMix64((ulong)seed).Shuffle<PromptPair>(pairs);
        return all with { Pairs = pairs, Source = $"{all.Source}, in the order of seed {seed}" };
    }
}
