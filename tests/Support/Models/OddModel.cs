using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cpu;
using Gradpath.Tests.Support.Reference;

namespace Gradpath.Tests.Support.Models;

/// <summary>
/// Random models whose shapes are no multiples of anything, in float64 and on a device, with prompts of several lengths and of one.
/// Between them they have every option of a configuration.
/// </summary>
internal sealed class OddModel : IDisposable
{
    private OddModel(Gpt2Config config, int seed, bool headBias, int workers)
    {
        Reference = ReferenceModel.Random(config, seed, headBias);
        Device = new CpuDevice(workers);
        Weights = EngineModels.Weights(Reference, Device);
        Mixed = ReferencePrompts.Random(config.Vocabulary, count: 5, shortest: 2, longest: 7, seed + 1);
        Equal = ReferencePrompts.Random(config.Vocabulary, count: 5, shortest: 5, longest: 5, seed + 2);
    }

    public static TheoryData<string> Names => ["one head", "relu, unscaled attention", "untied, erf", "head bias"];

    public ReferenceModel Reference { get; }

    public CpuDevice Device { get; }

    public Gpt2Weights Weights { get; }

    /// <summary>Five pairs of 2 to 7 tokens.</summary>
    public PromptPair[] Mixed { get; }

    /// <summary>Five pairs of 5 tokens.</summary>
    public PromptPair[] Equal { get; }

    public static OddModel Make(string name, int workers = 2) => name switch
    {
        "one head" => new OddModel(Shape(1, 1, 6, 9, 7), 100, headBias: false, workers),
        "relu, unscaled attention" => new OddModel(
            Shape(3, 5, 2, 7, 11) with
            {
                Activation = Gpt2Activation.Relu,
                ScaleAttention = false,
                ScaleAttentionByLayer = true,
                Epsilon = 1e-3f
            }, 200, headBias: false, workers),
        "untied, erf" =>
            new OddModel(Shape(2, 3, 5, 17, 13) with { Activation = Gpt2Activation.Gelu, TiedHead = false }, 300, headBias: false, workers),
        "head bias" => new OddModel(Shape(2, 2, 7, 19, 9) with { TiedHead = false, Epsilon = 1e-6f }, 400, headBias: true, workers),
        _ => throw new ArgumentException(name),
    };

    /// <summary>The engine's scores.</summary>
    public AttributionResult Score(IReadOnlyList<PromptPair> pairs, AttributionOptions options) =>
        EdgeAttribution.Run(Weights, PromptSet.Of(pairs), options);

    public void Dispose()
    {
        Weights.Dispose();
        Device.Dispose();
    }

    private static Gpt2Config Shape(int layers, int heads, int headWidth, int inner, int vocabulary) => new()
    {
        Layers = layers,
        Heads = heads,
        Width = heads * headWidth,
        InnerWidth = inner,
        Positions = 9,
        Vocabulary = vocabulary,
    };
}
