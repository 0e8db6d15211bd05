using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// A way to score edges: one row of <see cref="AttributionMethods"/>. Everything that lists or describes methods, or asks what one takes,
/// asks the row.
/// </summary>
public sealed class AttributionMethod
{
    /// <summary>Makes a row.</summary>
    /// <param name="name">The canonical name.</param>
    /// <param name="title">What tables and prose call the method.</param>
    /// <param name="aliases">Other names that people may write; upper and lower case, and dashes and underscores, are the same
    /// anyhow.</param>
    /// <param name="settings">The options that it reads.</param>
    /// <param name="points">Where it takes gradients, or what else it does.</param>
    /// <param name="passes">Its passes per batch, in words.</param>
    /// <param name="meaning">What a score is, as a noun phrase.</param>
    /// <param name="work">How its scores are made.</param>
    internal AttributionMethod(
        string name,
        string title,
        IReadOnlyList<string> aliases,
        MethodSettings settings,
        string points,
        string passes,
        string meaning,
        MethodWork work)
    {
        Name = name;
        Title = title;
        Aliases = aliases;
        Settings = settings;
        Points = points;
        Passes = passes;
        Meaning = meaning;
        Work = work;
    }

    /// <summary>The canonical name: what options and result files call the method, such as <c>eap-ig</c>.</summary>
    public string Name { get; }

    /// <summary>What tables and prose call it, such as <c>EAP-IG</c>.</summary>
    public string Title { get; }

    /// <summary>Other names that <see cref="AttributionMethods.Find"/> takes.</summary>
    public IReadOnlyList<string> Aliases { get; }

    /// <summary>The options that it reads; others are refused.</summary>
    public MethodSettings Settings { get; }

    /// <summary>Where it takes gradients, or what else it does, in one line.</summary>
    public string Points { get; }

    /// <summary>Its passes per batch, in words.</summary>
    public string Passes { get; }

    /// <summary>What a score is, as a noun phrase.</summary>
    public string Meaning { get; }

    /// <summary>
    /// Whether scores are of a metric's loss, so that the prompts need what the metric judges by. Else no metric is computed.
    /// </summary>
    public bool HasMetric => Takes(MethodSettings.Metric);

    /// <summary>Whether scores have a sign, positive where corrupting the edge hurts. Else they are 0 or more.</summary>
    public bool HasSign => HasMetric && !Work.Unsigned;

    /// <summary>Whether it is there to compare with: it knows less than any method should.</summary>
    public bool IsBaseline { get; internal init; }

    /// <summary>Whether scores depend on the corrupted prompts.</summary>
    public bool ReadsCorrupted { get; internal init; } = true;

    /// <summary>Whether a run can be stopped and gone on with; others are done before that pays.</summary>
    public bool Saves { get; internal init; }

    /// <summary>The methods that an <see cref="Ensemble"/> is made of; none where the method is none.</summary>
    public IReadOnlyList<AttributionMethod> Members { get; internal init; } = [];

    /// <summary>How an ensemble combines its members' ranks.</summary>
    public EnsembleRule Rule { get; internal init; }

    /// <summary>
    /// Whether it takes gradients, whose scores per prompt pair <see cref="ItemScores"/> writes. Ranks are of all prompts together, so an
    /// ensemble has none.
    /// </summary>
    public bool ScoresItems => HasMetric && !Saves && Members.Count == 0;

    /// <summary>Whether it scores edges between spans, see <see cref="AttributionOptions.Positions"/>.</summary>
    public bool ScoresPositions => Work.TellsSpansApart;

    /// <summary>How its scores are made.</summary>
    internal MethodWork Work { get; }

    /// <summary>Whether the positions before a pair's first difference are run once instead of with every pass.</summary>
    /// <param name="options">Options of this method.</param>
    internal bool SharesPrefixes(AttributionOptions options) => Work.SharesPrefixes(ScoringSettings.Of(options));

    /// <summary>Whether it reads options.</summary>
    /// <param name="settings">One or more of them.</param>
    /// <returns>True where it reads all of them.</returns>
    public bool Takes(MethodSettings settings) => (Settings & settings) == settings;

    /// <summary>The method's whole passes over a batch.</summary>
    /// <param name="options">Its settings.</param>
    /// <returns>The numbers; null where its passes are parts of passes.</returns>
    public PassCounts? CountPasses(AttributionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Work.Passes(ScoringSettings.Of(options));
    }

    /// <summary>The method as a scorer, for a search that starts from scores.</summary>
    /// <param name="options">Its settings; their method is not read.</param>
    /// <returns>The scorer.</returns>
    /// <exception cref="OptionException">An option does not apply to the method or cannot be used.</exception>
    public IEdgeScorer Scorer(AttributionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new AttributionScorer(options with { Method = this });
    }

    /// <summary>Whether all its scores are 0 but for rounding, by their definition.</summary>
    /// <param name="metric">The metric.</param>
    /// <returns>
    /// True for a distance from the clean run whose only gradient is taken at the clean run, where it has its minimum, and for an ensemble
    /// with such a member.
    /// </returns>
    public bool VanishesFor(Metric metric)
    {
        ArgumentNullException.ThrowIfNull(metric);
        return HasMetric && Work.OnlyAtClean && metric.MeasuresDistance;
    }

    /// <summary>The canonical name.</summary>
    /// <returns><see cref="Name"/>.</returns>
    public override string ToString() => Name;
}
