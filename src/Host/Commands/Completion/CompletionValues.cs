using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Compilation;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph.Exchange;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Comparison;
using Gradpath.Kernels;

namespace Gradpath.Host.Commands;

/// <summary>The values that shells complete, from the tables that options are read by.</summary>
internal static class CompletionValues
{
    /// <summary>The values of an option; none where it takes files, numbers or text.</summary>
    /// <param name="verb">The command.</param>
    /// <param name="option">The option without dashes.</param>
    public static IReadOnlyList<string> Of(string verb, string option) => (verb, option) switch
    {
        ("search", "method") => [.. CircuitSearches.All.Select(s => s.Name)],
        (_, "method" or "scorer") => [.. AttributionMethods.All.Select(m => m.Name)],
        ("score", "of") => [.. AttributionMethods.All.Where(m => m.Members.Count == 0).Select(m => m.Name)],
        ("score", "by") => [.. EnumNames.All<EnsembleRule>()],
        (_, "methods") => [.. ComparedMethod.Defaults.Select(m => m.Name).Union(AttributionMethods.All.Select(m => m.Name))],
        (_, "model") => ["demo", "saturated", "gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "distilgpt2"],
        (_, "task" or "tasks") => [.. TaskCatalog.All.Select(t => t.Name)],
        (_, "metric") => [.. BuiltInMetrics.All.Select(m => m.Name)],
        (_, "ablation") => [.. EnumNames.All<Ablation>()],
        ("score", "positions") => [.. EnumNames.All<PositionMode>()],
        (_, "ig-points") => [.. EnumNames.All<IgPoints>()],
        (_, "path-objective") => [.. EnumNames.All<EmbeddingPathObjective>()],
        (_, "path-norm") => [.. EnumNames.All<EmbeddingPathNorm>()],
        (_, "path-eta") => [.. EnumNames.All<EmbeddingPathStep>()],
        (_, "path-start") => [.. EnumNames.All<EmbeddingPathStart>()],
        (_, "path-direction") => [.. EnumNames.All<EmbeddingPathDirection>()],
        (_, "preset") => [.. EmbeddingPathPreset.All.Select(p => p.Name)],
        (_, "path-outer") => [.. EnumNames.All<EmbeddingPathOuter>()],
        (_, "normalization") => [.. EnumNames.All<ScoreNormalization>()],
        (_, "order") => [.. EnumNames.All<SenderOrder>()],
        (_, "schedule") => [.. EnumNames.All<TargetSchedule>()],
        (_, "split") => [.. EnumNames.All<PromptSplit>()],
        (_, "objective") => ["kl", "metric"],
        (_, "device") => ["auto", "cpu", "cuda"],
        (_, "against") => ["cpu"],
        (_, "precision") => [.. EnumNames.All<MatrixPrecision>()],
        (_, "gemm") => [.. EnumNames.All<MatrixProvider>()],
        (_, "ground-truth" or "with" or "recall") => [.. GroundTruth.All.Select(t => t.Name)],
        (_, "program") => [.. CompiledPrograms.All.Select(p => p.Name)],
        (_, "study") => [.. PublishedStudies.All.Select(s => s.Name)],
        ("convert", "from" or "to") => [.. GraphKinds.All.Select(k => k.Name)],
        (_, "shell") => CompletionCommand.Shells,
        _ => [],
    };
}
