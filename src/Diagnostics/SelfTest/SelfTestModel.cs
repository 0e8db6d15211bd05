using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;

namespace Gradpath.Diagnostics.SelfTest;

/// <summary>What the checks work on: a tiny random model and prompt pairs made for it.</summary>
internal sealed class SelfTestModel : IDisposable
{
    // The last tokens of the vocabulary have embeddings a little above and a little below that of token 0.
    private const int Above = Vocabulary - 2;
    private const int Below = Vocabulary - 1;
    private const int Vocabulary = 41;
    private const float Closeness = 0.02f;

    public SelfTestModel(Device device, CancellationToken cancellation)
    {
        Cancellation = cancellation;
        Gpt2Config config = new()
        {
            Layers = 2,
            Heads = 3,
            Width = 24,
            InnerWidth = 96,
            Positions = 16,
            Vocabulary = Vocabulary,
            TiedHead = false,
        };
        Weights = RandomGpt2Weights.Create(config, 1, device, scale: 0.3f, gainJitter: 0.1f, biasJitter: 0.1f);
        Graph = new ComputationGraph(config);
        MoveTogether(device);

        Random random = new(7);
        int[] Ids(int length) => [.. Enumerable.Range(0, length).Select(_ => random.Next(Above))];
        PromptPair Pair(int length) => new(Ids(length), Ids(length), [3], [8]);
        Pairs = [.. Enumerable.Range(0, 6).Select(_ => Pair(7))];
        RaggedPairs = [.. Enumerable.Range(0, 6).Select(i => Pair(4 + (i * 5 % 7)))];
        PairsAbove = [new PromptPair([5, 0, 9, 0, 2], [5, Above, 9, Above, 2], [3], [8])];
        PairsBelow = [PairsAbove[0] with { Corrupted = [5, Below, 9, Below, 2] }];
    }

    public CancellationToken Cancellation { get; }

    public Gpt2Weights Weights { get; }

    public ComputationGraph Graph { get; }

    /// <summary>Pairs of one length.</summary>
    public IReadOnlyList<PromptPair> Pairs { get; }

    /// <summary>Pairs of several lengths, in no order.</summary>
    public IReadOnlyList<PromptPair> RaggedPairs { get; }

    /// <summary>A pair whose prompts are nearly the same to the model.</summary>
    public IReadOnlyList<PromptPair> PairsAbove { get; }

    /// <summary>The same with the difference reversed.</summary>
    public IReadOnlyList<PromptPair> PairsBelow { get; }

    public AttributionResult Score(IReadOnlyList<PromptPair> pairs, AttributionOptions options) =>
        EdgeAttribution.Run(Weights, PromptSet.Of(pairs), options, null, Cancellation);

    public AttributionResult Score(AttributionOptions options) => Score(Pairs, options);

    /// <summary>[F, K]: the scores of all edges alone.</summary>
    public float[] Edges(IReadOnlyList<PromptPair> pairs, AttributionOptions options) => Score(pairs, options).Scores.Values.ToArray();

    public float[] Edges(AttributionOptions options) => Edges(Pairs, options);

    public void Dispose() => Weights.Dispose();

    private void MoveTogether(Device device)
    {
        int width = Weights.Config.Width;
        float[] embedding = Weights.TokenEmbedding.ToArray();
        Random random = new(3);
        for (int d = 0; d < width; d++)
        {
            float step = Closeness * ((float)random.NextDouble() - 0.5f);
            embedding[(Above * width) + d] = embedding[d] + step;
            embedding[(Below * width) + d] = embedding[d] - step;
        }
        device.Upload<float>(embedding, Weights.TokenEmbedding);
    }
}
