using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// The table of methods. To add one is to write its scorer and its row here, a reference that its scores are compared with, and its line in
/// the README's table; tests go over all rows.
/// </summary>
public static class AttributionMethods
{
    private const string Estimate = "the estimated rise of the loss when the edge carries its corrupted value";

    private const MethodSettings Integrated = MethodSettings.Metric | MethodSettings.Steps;

    /// <summary>EAP (Syed et al. 2023).</summary>
    public static AttributionMethod Eap { get; } = new(
        "eap", "EAP", [], MethodSettings.Metric | MethodSettings.Ablation | MethodSettings.RecordPath,
        points: "the clean run",
        passes: "2 forward, 1 backward",
        meaning: Estimate,
        new MethodWork
        {
            Scorer = (run, s) => new InterpolatedGradients(run, s, InterpolationPoints.Clean),
            Passes = _ => new PassCounts(2, 1),
            SharesPrefixes = BetweenTheRuns,
            OnlyAtClean = true,
            TellsSpansApart = true,
        });

    /// <summary>EAP-IG on inputs (Hanna et al. 2024).</summary>
    public static AttributionMethod EapIg { get; } = new(
        "eap-ig", "EAP-IG", ["eap-ig-inputs"], Integrated | MethodSettings.IgPoints | MethodSettings.RecordPath,
        points: "m points between the corrupted and the clean embedding",
        passes: "m + 1 forward, m backward",
        meaning: Estimate,
        new MethodWork
        {
            Scorer = (run, s) => new InterpolatedGradients(run, s, InterpolationPoints.Line(s)),
            Passes = s => new PassCounts(s.IgPoints == IgPoints.Midpoint ? s.Steps + 2 : s.Steps + 1, s.Steps),
            Divisor = (_, s) => s.Steps,
            SharesPrefixes = BetweenTheRuns,
            TellsSpansApart = true,
        });

    /// <summary>EAP-IG on activations.</summary>
    public static AttributionMethod EapIgActivations { get; } = new(
        "eap-ig-activations", "EAP-IG (activations)", [], Integrated | MethodSettings.Ablation,
        points: "m points at each site's output",
        passes: "m per site, each from its site on",
        meaning: Estimate,
        new MethodWork
        {
            Scorer = (run, s) => new ActivationInterpolation(run, s),
            Passes = _ => null,
            Divisor = (config, s) => s.Steps * ((2.0 * config.Layers) + 1),
            SharesPrefixes = BetweenTheRuns,
        });

    /// <summary>CEAP (Wu et al. 2026).</summary>
    public static AttributionMethod Ceap { get; } = new(
        "ceap", "CEAP", [], Integrated | MethodSettings.IgPoints,
        points: "m segments between the corrupted and the clean embedding, each with its own share of the writers' difference",
        passes: "m + 1 forward, m backward",
        meaning: Estimate,
        new MethodWork
        {
            Scorer = (run, s) => new SegmentedGradients(run, s),
            Passes = s => new PassCounts(s.IgPoints == IgPoints.Midpoint ? (2 * s.Steps) + 1 : s.Steps + 1, s.Steps),
            SharesPrefixes = BetweenTheRuns,
            TellsSpansApart = true,
        });

    /// <summary>The mean of the gradients at both ends.</summary>
    public static AttributionMethod CleanCorrupted { get; } = new(
        "clean-corrupted", "clean-corrupted", [], MethodSettings.Metric | MethodSettings.RecordPath,
        points: "both ends",
        passes: "2 forward, 2 backward",
        meaning: Estimate,
        new MethodWork
        {
            Scorer = (run, s) => new InterpolatedGradients(run, s, InterpolationPoints.BothEnds),
            Passes = _ => new PassCounts(2, 2),
            Divisor = (_, _) => 2,
            SharesPrefixes = BetweenTheRuns,
            TellsSpansApart = true,
        });

    /// <summary>EAP-GP (arXiv 2502.06852).</summary>
    public static AttributionMethod EapGp { get; } = new(
        "eap-gp", "EAP-GP", [], Integrated | MethodSettings.EmbeddingPath | MethodSettings.RecordPath,
        points: "k points of a path by which the output moves in equal parts, so that saturation hides nothing",
        passes: "k + 4 forward, 2 k + 2 backward",
        meaning: Estimate,
        new MethodWork
        {
            Scorer = (run, s) => new EmbeddingPathGradients(run, s),
            Passes = s => EmbeddingPathGradients.Passes(s),

            // Other steps move every position.
            SharesPrefixes = s => BetweenTheRuns(s) && s.Path.Step == EmbeddingPathStep.Distance,
            Divisor = (_, s) => s.Path.Outer == EmbeddingPathOuter.Path ? 1 : s.Steps,
            NeedsFileOrder = s => s.Path.Norm == EmbeddingPathNorm.Batch,
            TellsSpansApart = true,
        });

    /// <summary>RelP (Jafari et al. 2025).</summary>
    public static AttributionMethod Relp { get; } = new(
        "relp", "RelP", [], MethodSettings.Metric | MethodSettings.Ablation,
        points: "the clean run, by relevance rules: LayerNorm scales and attention patterns are constants, activations ratios",
        passes: "2 forward, 1 backward",
        meaning: Estimate,
        new MethodWork
        {
            Scorer = (run, s) => new InterpolatedGradients(run, s, InterpolationPoints.Clean, PropagationRules.Relp),
            Passes = _ => new PassCounts(2, 1),
            SharesPrefixes = BetweenTheRuns,
            OnlyAtClean = true,
            TellsSpansApart = true,
        });

    /// <summary>GIM (Edin et al. 2025).</summary>
    public static AttributionMethod Gim { get; } = new(
        "gim", "GIM", [], MethodSettings.Metric | MethodSettings.Ablation,
        points: "the clean run, with a softer softmax, constant LayerNorm scales and products' gradients shared",
        passes: "2 forward, 1 backward",
        meaning: Estimate,
        new MethodWork
        {
            Scorer = (run, s) => new InterpolatedGradients(run, s, InterpolationPoints.Clean, PropagationRules.Gim),
            Passes = _ => new PassCounts(2, 1),
            SharesPrefixes = BetweenTheRuns,
            OnlyAtClean = true,
            TellsSpansApart = true,
        });

    /// <summary>AtP* (Kramar et al. 2024).</summary>
    public static AttributionMethod AtpStar { get; } = new(
        "atp-star", "AtP*", [], MethodSettings.Metric | MethodSettings.Ablation,
        points: "the clean run, one layer's gradient dropped each time; queries and keys go through the exact softmax",
        passes: "2 forward, L backward, two attentions per writer and layer behind it",
        meaning: "the estimated size of the loss's change when the edge carries its corrupted value",
        new MethodWork
        {
            Scorer = (run, s) => new DroppedGradients(run, s),
            Passes = _ => null,
            SharesPrefixes = BetweenTheRuns,
            OnlyAtClean = true,
            Unsigned = true,
        });

    /// <summary>
    /// An ensemble of EAP-IG and EAP-GP by their mean ranks; <see cref="Attribution.Ensemble.Of"/> makes others.
    /// </summary>
    public static AttributionMethod Ensemble { get; } = Attribution.Ensemble.Of([EapIg, EapGp]);

    /// <summary>Exact patching: what the others estimate.</summary>
    public static AttributionMethod Exact { get; } = new(
        "exact", "exact patching", ["exact-patching"], MethodSettings.Metric | MethodSettings.Ablation,
        points: "nothing: corrupts one edge at a time",
        passes: "one partial forward per edge",
        meaning: "the measured rise of the loss when the edge carries its corrupted value",
        new MethodWork
        {
            Scorer = (run, s) => new ExactPatching(run, s),
            Passes = _ => null,
            SharesPrefixes = BetweenTheRuns,
            MeanOverBatches = true,
        })
    {
        Saves = true,
    };

    /// <summary>Information flow routes (Ferrando and Voita 2024).</summary>
    public static AttributionMethod InformationFlowRoutes { get; } = new(
        "information-flow-routes", "information flow routes", ["ifr"], MethodSettings.None,
        points: "nothing: how much of a reader's input a writer makes up",
        passes: "1 forward",
        meaning: "the writer's share of what the reader takes in on the clean prompts (0 to 1)",
        new MethodWork
        {
            Scorer = (run, _) => new InformationFlowRoutes(run),
            Passes = _ => new PassCounts(1, 0),
        })
    {
        ReadsCorrupted = false,
    };

    /// <summary>The baseline that looks at activations only.</summary>
    public static AttributionMethod Magnitude { get; } = new(
        "magnitude", "magnitude", [], MethodSettings.None,
        points: "nothing: how far the corruption moves the writer",
        passes: "2 forward",
        meaning: "how far the corruption moves the writer's output, whoever reads it",
        new MethodWork
        {
            Scorer = (run, _) => new WriterMagnitudes(run),
            Passes = _ => new PassCounts(2, 0),
        })
    {
        IsBaseline = true,
    };

    /// <summary>The baseline that knows nothing.</summary>
    public static AttributionMethod Random { get; } = new(
        "random", "random", [], MethodSettings.Seed,
        points: "nothing: random numbers from a seed",
        passes: "none",
        meaning: "a random number between 0 and 1",
        new MethodWork
        {
            Scorer = (run, s) => new RandomScores(run, s),
            Passes = _ => new PassCounts(0, 0),
        })
    {
        IsBaseline = true,
        ReadsCorrupted = false,
    };

    /// <summary>All methods, in the order of tables and help.</summary>
    public static IReadOnlyList<AttributionMethod> All { get; } =
    [
        Eap, EapIg, EapIgActivations, Ceap, CleanCorrupted, EapGp, Relp, Gim, AtpStar, Ensemble, Exact, InformationFlowRoutes, Magnitude,
        Random,
    ];

    /// <summary>
    /// Finds a method by its canonical name or an alias, among them the EAP-IG library's spellings such as <c>EAP-IG-inputs</c>.
    /// </summary>
    /// <param name="name">The name. Upper and lower case are the same, and so are dashes and underscores.</param>
    /// <returns>The method.</returns>
    /// <exception cref="OptionException">There is none of this name. The message says which one may be meant, and which there
    /// are.</exception>
    public static AttributionMethod Find(string name) =>
        TryFind(name, out AttributionMethod? method) ? method : throw new OptionException($"{Terms.Method.With(name)}: {Unknown(name)}");

    /// <summary>Finds a method as <see cref="Find"/> does.</summary>
    /// <param name="name">The name.</param>
    /// <param name="method">The method; null where there is none of this name.</param>
    /// <returns>Whether there is one.</returns>
    public static bool TryFind(string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out AttributionMethod? method)
    {
        ArgumentNullException.ThrowIfNull(name);
        method = All.FirstOrDefault(m => m.Aliases.Prepend(m.Title).Prepend(m.Name).Any(n => TableNames.Same(name, n)));
        return method is not null;
    }

    /// <summary>What to say of a name that no method has.</summary>
    /// <param name="name">The name.</param>
    /// <param name="others">Names beside those of methods that could have been meant.</param>
    /// <returns>The end of a message.</returns>
    internal static string Unknown(string name, params string[] others) => Unknown(name, All, others);

    /// <summary>The same where some methods alone can be meant.</summary>
    /// <param name="name">The name.</param>
    /// <param name="among">The methods.</param>
    /// <param name="others">Names beside those of methods that could have been meant.</param>
    /// <returns>The end of a message.</returns>
    internal static string Unknown(string name, IEnumerable<AttributionMethod> among, params string[] others) =>
        TableNames.Unknown("method", name, [.. among.Select(m => m.Name), .. others], among.SelectMany(m => m.Aliases));

    // When patching, every run lies between the clean and the corrupted one. Other ablations differ everywhere, and a recorded path states
    // norms over whole prompts.
    private static bool BetweenTheRuns(ScoringSettings settings) => settings is { Ablation: Ablation.Patching, RecordPath: false };
}
