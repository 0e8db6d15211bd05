using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>The mean metric F of many circuits, a bounded number of them at a time; one that was run before is not run again.</summary>
internal sealed class KnockoutRuns(
    Gpt2Weights model,
    PromptSet prompts,
    EvaluationOptions options,
    IProgress<RunProgress>? progress,
    CancellationToken cancellation)
{
    private const int MostCircuits = 256;
    private readonly Dictionary<string, double> _known = new(StringComparer.Ordinal);

    /// <summary>Number of pairs per batch that was used last.</summary>
    public int BatchSize { get; private set; }

    /// <summary>Largest amount of device memory in use so far.</summary>
    public long PeakDeviceBytes { get; private set; }

    /// <summary>F of circuits without node sets.</summary>
    /// <param name="circuit">The circuit, or the full model as one.</param>
    /// <param name="sets">Rows of the nodes to take away.</param>
    /// <returns>One mean per set.</returns>
    public double[] Without(Circuit circuit, IReadOnlyList<IReadOnlyList<int>> sets) =>
        Of([.. sets.Select(nodes => NodeSets.Without(circuit, nodes))]);

    /// <summary>F of circuits.</summary>
    /// <param name="circuits">Any number.</param>
    /// <returns>One mean per circuit.</returns>
    public double[] Of(IReadOnlyList<Circuit> circuits)
    {
        string[] keys = [.. circuits.Select(Key)];
        var missing = new Dictionary<string, Circuit>(StringComparer.Ordinal);
        for (int i = 0; i < circuits.Count; i++)
        {
            if (!_known.ContainsKey(keys[i])) missing.TryAdd(keys[i], circuits[i]);
        }
        foreach (KeyValuePair<string, Circuit>[] chunk in missing.Chunk(MostCircuits))
        {
            EvaluationResult result = CircuitEvaluation.Evaluate(
                model, prompts, [.. chunk.Select(c => c.Value)], options, progress, cancellation);
            for (int i = 0; i < chunk.Length; i++) _known[chunk[i].Key] = result.Circuits[i].MeanMetric;
            BatchSize = result.Plan.Size;
            PeakDeviceBytes = Math.Max(PeakDeviceBytes, result.PeakDeviceBytes);
        }
        return Array.ConvertAll(keys, key => _known[key]);
    }

    private static string Key(Circuit circuit)
    {
        ReadOnlySpan<bool> edges = circuit.Membership;
        byte[] bits = new byte[(edges.Length + 7) / 8];
        for (int i = 0; i < edges.Length; i++)
        {
            if (edges[i]) bits[i / 8] |= (byte)(1 << (i % 8));
        }
        return Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(bits));
    }
}
