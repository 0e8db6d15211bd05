using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;
using Gradpath.Tests.Support.Reference;

namespace Gradpath.Tests.Support.Models;

/// <summary>The reference's models and options, as the engine takes them.</summary>
internal static class EngineModels
{
    private const int PlacesOff = 3;

    /// <summary>The same weights on a device.</summary>
    public static Gpt2Weights Weights(ReferenceModel model, Device device)
    {
        IReadOnlyDictionary<string, float[]> values = model.FloatTensors();
        IEnumerable<TensorSpec> specs = Gpt2Layout.Of(model.Config);
        if (values.ContainsKey(Gpt2Layout.HeadBias)) specs = specs.Append(Gpt2Layout.HeadBiasOf(model.Config));
        return Gpt2Layout.Assemble(model.Config, specs.ToDictionary(s => s.Name, s => device.StoreTensor(values[s.Name], s.Shape)), null);
    }

    /// <summary>The same options, without those that the method does not read.</summary>
    public static AttributionOptions Options(ReferenceOptions options)
    {
        AttributionMethod method = options.Method;
        T? Read<T>(MethodSettings setting, T value)
            where T : struct => method.Takes(setting) ? value : null;
        return new AttributionOptions
        {
            Method = method,
            Metric = method.HasMetric ? options.Metric : null,
            Steps = Read(MethodSettings.Steps, options.Steps),
            Ablation = Read(MethodSettings.Ablation, Enum.Parse<Ablation>(options.Ablation.ToString())),
            IgPoints = Read(MethodSettings.IgPoints, Enum.Parse<IgPoints>(options.IgPoints.ToString())),
            EmbeddingPath = new EmbeddingPathOptions
            {

                // The straight line with matched steps has none.
                Objective = options is { Direction: ReferenceDirection.Line, Eta: not ReferenceEta.Distance }
                    ? null
                    : Read(MethodSettings.EmbeddingPath, Objective(options.Objective)),
                Norm = Read(MethodSettings.EmbeddingPath, Enum.Parse<EmbeddingPathNorm>(options.Norm.ToString())),
                Step = Read(MethodSettings.EmbeddingPath, options.Eta switch
                {
                    ReferenceEta.One => EmbeddingPathStep.Unit,
                    ReferenceEta.Match => EmbeddingPathStep.Match,
                    _ => EmbeddingPathStep.Distance,
                }),
                Direction = Read(MethodSettings.EmbeddingPath, Enum.Parse<EmbeddingPathDirection>(options.Direction.ToString())),
                Start = Read(MethodSettings.EmbeddingPath, Enum.Parse<EmbeddingPathStart>(options.Start.ToString())),
                Outer = Read(MethodSettings.EmbeddingPath, Enum.Parse<EmbeddingPathOuter>(options.Outer.ToString())),
            },
            Normalization = options.Normalization == ReferenceNormalization.Library ? ScoreNormalization.Library : ScoreNormalization.Item,
            BatchSize =
                options.BatchSize == 1 && options.Normalization == ReferenceNormalization.PerItemMean && options.Norm == ReferenceNorm.Item
                ? 0
                : options.BatchSize,
        };
    }

    /// <summary>[F, K]: the edges' scores.</summary>
    public static float[] Edges(this AttributionResult result) => result.Scores.Values.ToArray();

    /// <summary>[F]: the nodes' scores; empty where there are none.</summary>
    public static float[] Nodes(this AttributionResult result) => result.Scores.NodeScores.ToArray();

    /// <summary>Largest difference over the largest expected magnitude; NaN in what is expected is passed over.</summary>
    public static double RelativeError(float[] scores, double[,] expected)
    {
        int columns = expected.GetLength(1);
        double largest = 0;
        double difference = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            double value = expected[i / columns, i % columns];
            if (double.IsNaN(value)) continue;
            largest = Math.Max(largest, Math.Abs(value));
            difference = Math.Max(difference, Math.Abs(value - scores[i]));
        }
        return largest == 0 ? difference : difference / largest;
    }

    /// <summary>
    /// How far scores of a method may be off: what rounding explains. Ranks jump by a place where two scores are almost the same, so an
    /// ensemble's may be off by a few places.
    /// </summary>
    /// <param name="method">The method.</param>
    /// <param name="rounding">What is allowed of scores that do not jump.</param>
    /// <param name="edges">Edges of the graph.</param>
    public static double Allowed(AttributionMethod method, double rounding, int edges) =>
        method.Members.Count == 0 ? rounding : Math.Max(rounding, PlacesOff / (double)edges);

    private static EmbeddingPathObjective Objective(ReferenceObjective objective) =>
        objective == ReferenceObjective.ProbabilitiesLast
            ? EmbeddingPathObjective.ProbsLast
            : Enum.Parse<EmbeddingPathObjective>(objective.ToString());
}
