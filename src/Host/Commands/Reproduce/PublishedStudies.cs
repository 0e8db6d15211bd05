using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Host.Commands;

/// <summary>The table of published figures: all of GPT-2 small, edges ranked by |score|, other edges patched.</summary>
internal static class PublishedStudies
{
    /// <summary>Edges of GPT-2 small, of which published circuits are a share.</summary>
    public const int EdgesOfSmall = 32_491;

    /// <summary>Layers and width of GPT-2 small, the model of all figures.</summary>
    public const int Layers = 12, Width = 768;

    private const string Base = "arXiv 2403.17806, its repository's results", GradPath = "arXiv 2502.06852, second hand";

    private const string Mib = "arXiv 2504.13151, second hand";

    private static readonly int[] s_sizes = [100, 200, 300, 500, 800, 1000];

    private static readonly AttributionOptions s_eap = new() { Method = AttributionMethods.Eap };

    private static readonly AttributionOptions s_eapIg =
        new() { Method = AttributionMethods.EapIg, Steps = 5, IgPoints = IgPoints.Right };

    private static readonly AttributionOptions s_published =
        new() { Method = AttributionMethods.EapGp, Steps = 5, EmbeddingPath = EmbeddingPathOptions.Published };

    private static readonly AttributionOptions s_eapGp = new() { Method = AttributionMethods.EapGp, Steps = 5 };

    /// <summary>The rows.</summary>
    public static IReadOnlyList<PublishedStudy> All { get; } =
    [
        Study(
            TaskCatalog.Find("ioi"), BuiltInMetrics.LogitDifference, 1000,
            [0, 0, .354, .530, .569, .654], [.255, .425, .451, .497, .625, .636], eapIgAt812: .62, eapGpAt812: .80),
        Study(
            TaskCatalog.Find("greater-than"), BuiltInMetrics.ProbabilityDifference, 1000,
            [.702, .879, .925, .955, .964, .964], [.818, .935, .954, .980, .996, 1.006]),
        Study(
            TaskCatalog.Find("gender-bias"), BuiltInMetrics.LogitDifference, 986,
            [.572, .813, .846, .826, .946, .954], [.701, .739, .844, .874, .904, .912]),
        Study(
            TaskCatalog.Find("sva"), BuiltInMetrics.ProbabilityDifference, 3000,
            [0, 0, -.001, -.001, -.001, .868], [.061, .156, .458, .800, .898, .931]),
        Study(
            TaskCatalog.Find("hypernymy"), BuiltInMetrics.ProbabilityDifference, 198,
            [-.008, .016, .041, .127, .193, .234], [.021, .068, .136, .237, .379, .443]),
        Study(
            TaskCatalog.Find("country-capital"), BuiltInMetrics.LogitDifference, 190,
            [.444, .590, .659, .758, .792, .825], [.501, .704, .768, .851, .901, .931]),
        new PublishedStudy(
            "mib", TaskCatalog.Find("ioi"), BuiltInMetrics.LogitDifference, 1000, HardCorruption: true, Areas: true,
            [
                new PublishedFigure("random", new() { Method = AttributionMethods.Random }, 0, .25, Mib),
                new PublishedFigure("EAP", s_eap, 0, null, ""),
                new PublishedFigure("EAP-IG (inputs)", s_eapIg with { IgPoints = IgPoints.Left }, 0, 1.85, Mib),
                new PublishedFigure("EAP-GP, as published", s_published, 0, null, ""),
                new PublishedFigure("EAP-GP", s_eapGp, 0, null, ""),
            ],
            [
                "MIB's prompts are not those of ioi/gpt2.csv, and it finds circuits on one split and judges them on another.",
                "MIB loads the weights with LayerNorm folded and writers centred.",
            ]),
    ];

    /// <summary>The study of a name.</summary>
    /// <param name="name">The name.</param>
    /// <exception cref="UsageException">There is none.</exception>
    public static PublishedStudy Find(string name)
    {
        string found = EnumNames.Pick("study", name, [.. All.Select(s => s.Name)]);
        return All.First(s => s.Name == found);
    }

    private static PublishedStudy Study(
        CircuitTask task, Metric metric, int prompts, double[] eap, double[] eapIg, double? eapIgAt812 = null, double? eapGpAt812 = null)
    {
        const int Share = 812;
        return new PublishedStudy(
            task.Name, task, metric, prompts, HardCorruption: false, Areas: false,
            [
                .. s_sizes.Select((n, i) => new PublishedFigure("EAP", s_eap, n, eap[i], Base)),
                .. s_sizes.Select((n, i) => new PublishedFigure("EAP-IG", s_eapIg, n, eapIg[i], Base)),
                new PublishedFigure("EAP-IG", s_eapIg, Share, eapIgAt812, eapIgAt812 is null ? "" : GradPath),
                new PublishedFigure("EAP-GP, as published", s_published, Share, eapGpAt812, eapGpAt812 is null ? "" : GradPath),
                new PublishedFigure("EAP-GP", s_eapGp, Share, null, ""),
            ],
            [
                "Circuits are found and judged on the same prompts, as they were there.",
                "There edges were pruned by other rules: nodes without readers, then nodes without writers, once.",
                "EAP-GP's own code is not public; its figures here are those that others give.",
            ]);
    }
}
