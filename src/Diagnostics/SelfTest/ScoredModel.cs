using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Gradpath.Diagnostics.Bench;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;

namespace Gradpath.Diagnostics.SelfTest;

/// <summary>A model of one of GPT-2's shapes with random weights, and what is scored on it: the same on every machine.</summary>
internal sealed class ScoredModel : IDisposable
{
    private const int Seed = 1, Steps = 5;
    private const float Scale = 0.02f, Gains = 0.1f, Biases = 0.02f;

    // Half of the pairs share most of their prompts, as IOI's do, the others little.
    private const int PairsOfEach = 2, Early = 3;

    /// <summary>Makes the model.</summary>
    /// <param name="shape">A name of <see cref="Workloads.ShapeNames"/>.</param>
    /// <param name="device">Where its weights go.</param>
    /// <exception cref="DeviceException">The device has no room for them.</exception>
    public ScoredModel(string shape, Device device)
    {
        Gpt2Config config = Workloads.Shape(shape);
        Weights = RandomGpt2Weights.Create(config, Seed, device, Scale, Gains, Biases);
        Graph = new ComputationGraph(config);
    }

    /// <summary>The methods, with 5 points or steps.</summary>
    public static IReadOnlyList<AttributionMethod> Methods { get; } =
        [AttributionMethods.Eap, AttributionMethods.EapIg, AttributionMethods.EapGp];

    /// <summary>The pairs.</summary>
    public static IReadOnlyList<PromptPair> Pairs { get; } =
    [
        .. Workloads.Pairs(PairsOfEach, Workloads.Tokens, Workloads.DiffersAt), .. Workloads.Pairs(PairsOfEach, Workloads.Tokens, Early),
    ];

    /// <summary>The weights.</summary>
    public Gpt2Weights Weights { get; }

    /// <summary>The graph.</summary>
    public ComputationGraph Graph { get; }

    /// <summary>What weights, pairs and settings are, in a hash: scores of another one are not to be compared.</summary>
    /// <param name="shape">The shape.</param>
    public static string Identity(string shape)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"{Workloads.Shape(shape).Fingerprint}; seed {Seed}, {Scale:R}, {Gains:R}, {Biases:R}");
        foreach (PromptPair pair in Pairs)
        {
            text.Append("; ").AppendJoin(' ', pair.Clean).Append(" / ").AppendJoin(' ', pair.Corrupted)
                .Append(" / ").AppendJoin(' ', pair.Answers).Append(" / ").AppendJoin(' ', pair.WrongAnswers);
        }
        foreach (AttributionMethod method in Methods)
            text.Append(CultureInfo.InvariantCulture, $"; {method.Name}, {Options(method).Steps}");
        return "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    /// <summary>Scores all edges.</summary>
    /// <param name="method">The method.</param>
    /// <param name="progress">Told after each step; may be null.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>A score per edge, row by row.</returns>
    public float[] Score(AttributionMethod method, IProgress<RunProgress>? progress, CancellationToken cancellation)
    {
        EdgeScores scores = EdgeAttribution.Run(Weights, PromptSet.Of(Pairs), Options(method), progress, cancellation).Scores;
        return [.. Graph.Edges.Select(e => scores[e.Row, e.Column])];
    }

    /// <inheritdoc />
    public void Dispose() => Weights.Dispose();

    private static AttributionOptions Options(AttributionMethod method) =>
        new() { Method = method, BatchSize = 2 * PairsOfEach, Steps = method == AttributionMethods.Eap ? null : Steps };
}
