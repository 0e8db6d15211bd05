using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Reports;

namespace Gradpath.Host.Commands;

/// <summary>A model that is ready to be scored.</summary>
/// <param name="Name">What result files call it.</param>
/// <param name="Hash">Identifies its weights.</param>
/// <param name="Weights">The weights on the device that computes.</param>
internal sealed record LoadedModel(string Name, string Hash, Gpt2Weights Weights) : IDisposable
{
    public void Dispose() => Weights.Dispose();

    /// <summary>Brings an open checkpoint to a device.</summary>
    /// <param name="argument">What the user called it; a path is shortened to its last folder.</param>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="device">The device.</param>
    /// <param name="cancellation">Stops the hashing.</param>
    public static LoadedModel Load(string argument, Gpt2Checkpoint checkpoint, Kernels.Device device, CancellationToken cancellation)
    {
        string name = Directory.Exists(argument) ? Path.GetFileName(checkpoint.Directory) : argument;
        return new LoadedModel(name, checkpoint.ComputeHash(cancellation), checkpoint.LoadWeights(device));
    }
}

/// <summary>Scores with progress, and wraps the numbers with their provenance.</summary>
internal static class Scoring
{
    /// <summary>Runs one method.</summary>
    public static (EdgeScores Scores, AttributionResult Result) Run(
        LoadedModel model,
        PromptSet prompts,
        AttributionOptions options,
        int? seed,
        Terminal terminal,
        CancellationToken cancellation)
    {
        string method = EnumNames.Of(options.Method);
        AttributionResult result = ScoringProgress.Run(
            terminal, method, progress => EdgeAttribution.Score(model.Weights, prompts.Pairs, options, progress, cancellation));
        cancellation.ThrowIfCancellationRequested();
        bool hasMetric = options.Method.HasMetric();
        EdgeScores scores = new(new ComputationGraph(model.Weights.Config), result.Scores)
        {
            NodeScores = result.NodeScores,
            ModelWidth = model.Weights.Config.Width,
            Provenance = new Provenance
            {
                Version = Provenance.ProgramVersion,
                Model = model.Name,
                ModelHash = model.Hash,
                Data = prompts.Source,
                DataHash = prompts.Hash,
                Task = prompts.Task,
                Method = method,
                Metric = hasMetric ? EnumNames.Of(options.Metric) : null,
                Options = MethodOptions.Describe(options),
                Ablation = MethodOptions.HasAblation(options.Method) ? EnumNames.Of(options.Ablation) : null,
                Normalization = EnumNames.Of(options.Normalization),
                Device = model.Weights.Device.Description,
                Precision = EnumNames.Of(model.Weights.Device.Precision),
                Gemm = EnumNames.Of(model.Weights.Device.Multiplier),
                BatchSize = result.BatchSize,
                Seed = seed,
                Items = prompts.Pairs.Count,
                Sign = hasMetric ? Provenance.LossSign : $"none: {EdgeTable.Meaning(options.Method)}",
                Created = DateTime.UtcNow,
            },
        };
        return (scores, result);
    }
}
