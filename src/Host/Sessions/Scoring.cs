using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Options;
using Gradpath.Host.Reports.Tables;

namespace Gradpath.Host.Sessions;

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
                BeginToken = prompts.BeginToken,
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
