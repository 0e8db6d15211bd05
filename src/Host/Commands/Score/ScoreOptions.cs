using CommandLine;
using CommandLine.Text;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Host.Options;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath score</c>. What is not given is null, so that options which do not go with the method are noticed.</summary>
[Verb("score", HelpText = "Score every edge of the model's computational graph on a task.")]
internal sealed class ScoreOptions : ModelPromptOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };
    private static readonly AttributionMethod[] s_recording = [AttributionMethod.Eap, AttributionMethod.EapIg, AttributionMethod.EapGp];
    private static readonly AttributionMethod[] s_path = [AttributionMethod.EapGp];
    private static readonly AttributionMethod[] s_judged = [.. Enum.GetValues<AttributionMethod>().Where(m => m.HasMetric())];

    [Option("method", MetaValue = "METHOD", Default = "eap-ig", HelpText = "eap, eap-ig, eap-ig-activations, clean-corrupted, eap-gp, exact, information-flow-routes, or the baselines magnitude and random.")]
    public string Method { get; set; } = "eap-ig";

    [Option("steps", MetaValue = "N", HelpText = "Gradient points of eap-ig, eap-ig-activations and eap-gp (default: 5).")]
    public int? Steps { get; set; }

    [Option("ablation", MetaValue = "KIND", HelpText = "What replaces a writer's output, for eap, eap-ig-activations and exact: patching (its output on the corrupted prompt; default), zero or mean-positional.")]
    public string? Ablation { get; set; }

    [Option("ig-points", MetaValue = "RULE", HelpText = "Interpolation points of eap-ig: left (0..m-1 over m; default), right (1..m over m) or midpoint.")]
    public string? IgPoints { get; set; }

    [Option("path-objective", MetaValue = "OBJECTIVE", HelpText = "What eap-gp's path descends, the distance to the corrupted run's: logits-all (default), logits-last, probs-last, residual-final, residual-final-last or metric.")]
    public string? PathObjective { get; set; }

    [Option("path-norm", MetaValue = "SCOPE", HelpText = "Normalise eap-gp's steps per item (default) or over the whole batch (batch; results then depend on the batch size).")]
    public string? PathNorm { get; set; }

    [Option("path-eta", MetaValue = "LENGTH", HelpText = "Length of eap-gp's steps: 1 (default), or match: the distance between the clean and corrupted embeddings over the number of steps.")]
    public string? PathEta { get; set; }

    [Option("path-start", MetaValue = "END", HelpText = "Start eap-gp's path at the clean (default) or the corrupted embedding.")]
    public string? PathStart { get; set; }

    [Option("path-outer", MetaValue = "FACTOR", HelpText = "Multiply eap-gp's gradients with the writer's full difference (delta; default) or with its change from step to step (path).")]
    public string? PathOuter { get; set; }

    [Option("normalization", MetaValue = "RULE", HelpText = "item: mean over prompt pairs (default); library: as the EAP-IG library, which also divides by the batch size (needs --batch-size).")]
    public string? Normalization { get; set; }

    [Option("seed", MetaValue = "N", HelpText = "Seed of generated prompts and of the method random (default: 0).")]
    public int? Seed { get; set; }

    [Option("out", MetaValue = "FILE", HelpText = "Write the scores: .json (the EAP-IG library's format) or .safetensors.")]
    public string? Out { get; set; }

    [Option("record-path", MetaValue = "FILE.csv", HelpText = "Write metric, gradient norm and output distance at every point of the path, for eap, eap-ig and eap-gp.")]
    public string? RecordPath { get; set; }

    [Option("top", MetaValue = "N", Default = 20, HelpText = "How many of the strongest edges to show.")]
    public int Top { get; set; } = 20;

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("EAP-IG on the model that ships with the program", s_short, new ScoreOptions { Model = "demo", Task = "ioi", Out = "scores.json" }),
        new("EAP-GP on GPT-2 small with prompts of your own", s_short, new ScoreOptions { Model = "gpt2", Data = "pairs.jsonl", Method = "eap-gp", Out = "scores.safetensors" }),
    ];

    /// <summary>
    /// The method with its options, checked; the metric stays at its default where the user named none. An option that the method does not
    /// read is a usage error, not silence.
    /// </summary>
    /// <exception cref="UsageException">A value is unknown, or an option does not go with the method.</exception>
    public AttributionOptions Attribution()
    {
        AttributionMethod method = EnumNames.Parse<AttributionMethod>("method", Method);
        void Only(string option, object? value, params AttributionMethod[] methods)
        {
            if (value is not null && !methods.Contains(method))
                throw new UsageException($"--{option} does not apply to {EnumNames.Of(method)}; {EnumNames.Choice(methods.Select(m => EnumNames.Of(m)))} {(methods.Length == 1 ? "takes" : "take")} it.");
        }
        Only("steps", Steps, MethodOptions.Integrated);
        Only("ablation", Ablation, MethodOptions.Ablating);
        Only("metric", Metric, s_judged);
        Only("ig-points", IgPoints, AttributionMethod.EapIg);
        Only("path-objective", PathObjective, s_path);
        Only("path-norm", PathNorm, s_path);
        Only("path-eta", PathEta, s_path);
        Only("path-start", PathStart, s_path);
        Only("path-outer", PathOuter, s_path);
        Only("record-path", RecordPath, s_recording);

        AttributionOptions defaults = new();
        AttributionOptions options = new()
        {
            Method = method,
            Metric = Value("metric", Metric, defaults.Metric),
            Steps = MethodOptions.Positive("steps", Steps) ?? defaults.Steps,
            Ablation = Value("ablation", Ablation, defaults.Ablation),
            IgPoints = Value("ig-points", IgPoints, defaults.IgPoints),
            PathObjective = Value("path-objective", PathObjective, defaults.PathObjective),
            PathNorm = Value("path-norm", PathNorm, defaults.PathNorm),
            PathEta = Value("path-eta", PathEta, defaults.PathEta),
            PathStart = Value("path-start", PathStart, defaults.PathStart),
            PathOuter = Value("path-outer", PathOuter, defaults.PathOuter),
            Normalization = Value("normalization", Normalization, defaults.Normalization),
            BatchSize = BatchSize ?? 0,
            RecordPath = RecordPath is not null,
            Seed = (ulong)Math.Max(0, Seed ?? 0),
        };
        if (options.Normalization == ScoreNormalization.Library && options.BatchSize == 0)
            throw new UsageException("--normalization library needs --batch-size: the scores depend on it.");
        return options;
    }

    private static T Value<T>(string option, string? text, T fallback)
        where T : struct, Enum => text is null ? fallback : EnumNames.Parse<T>(option, text);
}
