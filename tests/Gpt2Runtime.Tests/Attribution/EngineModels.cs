using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tests.Reference;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Tests.Attribution;

/// <summary>The reference's models and options, as the engine takes them.</summary>
internal static class EngineModels
{
    /// <summary>The same weights on a device.</summary>
    public static Gpt2Weights Weights(ReferenceModel model, Device device)
    {
        IReadOnlyDictionary<string, float[]> values = model.FloatTensors();
        IEnumerable<TensorSpec> specs = Gpt2Layout.Of(model.Config);
        if (values.ContainsKey(Gpt2Layout.HeadBias)) specs = specs.Append(Gpt2Layout.HeadBiasOf(model.Config));
        return Gpt2Layout.Assemble(model.Config, specs.ToDictionary(s => s.Name, s => device.StoreTensor(values[s.Name], s.Shape)), null);
    }

    /// <summary>The same options.</summary>
    public static AttributionOptions Options(ReferenceOptions options) => new()
    {
        Method = Enum.Parse<AttributionMethod>(options.Method.ToString()),
        Metric = options.Metric,
        Steps = options.Steps,
        Ablation = Enum.Parse<Ablation>(options.Ablation.ToString()),
        IgPoints = Enum.Parse<IgPoints>(options.IgPoints.ToString()),
        PathObjective = options.Objective == ReferenceObjective.ProbabilitiesLast ? PathObjective.ProbsLast : Enum.Parse<PathObjective>(options.Objective.ToString()),
        PathNorm = Enum.Parse<PathNorm>(options.Norm.ToString()),
        PathEta = options.Eta == ReferenceEta.One ? PathStep.Unit : PathStep.Match,
        PathStart = Enum.Parse<PathStart>(options.Start.ToString()),
        PathOuter = Enum.Parse<PathOuter>(options.Outer.ToString()),
        Normalization = options.Normalization == ReferenceNormalization.Library ? ScoreNormalization.Library : ScoreNormalization.Item,
        BatchSize = options.BatchSize == 1 && options.Normalization == ReferenceNormalization.PerItemMean && options.Norm == ReferenceNorm.Item ? 0 : options.BatchSize,
    };

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
}
