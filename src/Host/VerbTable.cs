using Gradpath.Host.Commands;

namespace Gradpath.Host;

/// <summary>All commands, in the order in which help lists them. A new one is a folder in <c>Commands</c> and a row here.</summary>
internal static class VerbTable
{
    /// <summary>The rows.</summary>
    public static readonly Verb[] All =
    [
        Verb.Of<ScoreOptions>(ScoreCommand.Run),
        Verb.Of<CircuitOptions>(CircuitCommand.Run),
        Verb.Of<CompareOptions>(CompareCommand.Run),
        Verb.Of<ConvertOptions>(ConvertCommand.Run),
        Verb.Of<EvaluateOptions>(EvaluateCommand.Run),
        Verb.Of<CurveOptions>(CurveCommand.Run),
        Verb.Of<CompletenessOptions>(CompletenessCommand.Run),
        Verb.Of<MinimalityOptions>(MinimalityCommand.Run),
        Verb.Of<TestCircuitOptions>(TestCircuitCommand.Run),
        Verb.Of<StabilityCommandOptions>(StabilityCommand.Run),
        Verb.Of<TransferCommandOptions>(TransferCommand.Run),
        Verb.Of<AcdcCommandOptions>(AcdcCommand.Run),
        Verb.Of<PathPatchOptions>(PathPatchCommand.Run),
        Verb.Of<EdgePruneOptions>(EdgePruneCommand.Run),
        Verb.Of<HapOptions>(HapCommand.Run),
        Verb.Of<SearchCommandOptions>(SearchCommand.Run),
        Verb.Of<BenchmarkOptions>(BenchmarkCommand.Run),
        Verb.Of<TruthOptions>(TruthCommand.Run),
        Verb.Of<SweepOptions>(SweepCommand.Run),
        Verb.Of<SweepMergeOptions>(SweepMergeCommand.Run),
        Verb.Of<SweepSubmitOptions>(SweepSubmitCommand.Run),
        Verb.Of<SweepStatusOptions>((o, _) => SweepStatusCommand.Run(o)),
        Verb.Of<SweepRetryOptions>((o, _) => SweepRetryCommand.Run(o)),
        Verb.Of<TranscodeTrainOptions>(TranscodeTrainCommand.Run),
        Verb.Of<TranscodeGraphOptions>(TranscodeGraphCommand.Run),
        Verb.Of<ReproduceOptions>(ReproduceCommand.Run),
        Verb.Of<DemoOptions>(DemoCommand.Run),
        Verb.Of<InfoOptions>(InfoCommand.Run),
        Verb.Of<TasksOptions>((_, _) => TasksCommand.Run()),
        Verb.Of<PromptsOptions>(PromptsCommand.Run),
        Verb.Of<MakeModelOptions>(MakeModelCommand.Run),
        Verb.Of<TokenizeOptions>(TokenizeCommand.Run),
        Verb.Of<ReportOptions>(ReportCommand.Run),
        Verb.Of<DrawOptions>(DrawCommand.Run),
        Verb.Of<SelfTestOptions>(SelfTestCommand.Run),
        Verb.Of<BenchOptions>(BenchCommand.Run),
        Verb.Of<KernelsOptions>(KernelsCommand.Run),
        Verb.Of<CompletionOptions>((o, _) => CompletionCommand.Run(o)),
    ];

    /// <summary>The options' types, for the parser.</summary>
    public static Type[] OptionTypes { get; } = [.. All.Select(v => v.Options)];

    /// <summary>The names, for messages.</summary>
    public static IEnumerable<string> Names => All.Select(v => v.Name);
}
