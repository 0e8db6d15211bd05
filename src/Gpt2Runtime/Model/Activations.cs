using System.Diagnostics;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>The largest pass that a workspace is made for.</summary>
/// <param name="Rows">Rows of all copies.</param>
/// <param name="FinalRows">Rows behind the last layer's attention.</param>
/// <param name="Sequences">Prompts of all copies.</param>
/// <param name="ProbabilitiesPerHead">Sum of queries x keys over the prompts, all layers but the last.</param>
/// <param name="FinalProbabilitiesPerHead">The same in the last layer.</param>
/// <param name="AnswerOnly">Whether the last layer is only needed at the answer positions.</param>
internal readonly record struct PassCapacity(
    int Rows, int FinalRows, int Sequences, long ProbabilitiesPerHead, long FinalProbabilitiesPerHead, bool AnswerOnly)
{
    /// <summary>The capacity that exactly fits some prompts.</summary>
    /// <param name="spans">The positions of each prompt that are run.</param>
    /// <param name="copies">How often they are repeated.</param>
    /// <param name="answerOnly">Whether the last layer is only needed at the answer positions.</param>
    /// <returns>The capacity.</returns>
    public static PassCapacity For(IReadOnlyList<PromptSpan> spans, int copies, bool answerOnly)
    {
        int rows = 0;
        long keys = 0;
        long squares = 0;
        foreach (PromptSpan span in spans)
        {
            rows += span.Length;
            keys += span.Total;
            squares += (long)span.Length * span.Total;
        }
        return new PassCapacity(
            rows * copies,
            answerOnly ? spans.Count * copies : rows * copies,
            spans.Count * copies,
            squares * copies,
            answerOnly ? keys * copies : squares * copies,
            answerOnly);
    }

    /// <summary>The capacity that exactly fits some whole prompts.</summary>
    /// <param name="lengths">Tokens of each prompt.</param>
    /// <param name="copies">How often they are repeated.</param>
    /// <param name="answerOnly">Whether the last layer is only needed at the answer positions.</param>
    /// <returns>The capacity.</returns>
    public static PassCapacity For(IReadOnlyList<int> lengths, int copies, bool answerOnly) =>
        For(PromptSpan.Whole(lengths), copies, answerOnly);
}

/// <summary>
/// What a forward pass leaves behind: the residual stream before every sublayer, and what the backward pass needs of each. Allocated
/// once for the largest pass; a smaller one uses the first rows. Boundary b is the residual stream that enters sublayer b: 2 l is the
/// attention of layer l, 2 l + 1 its MLP, 2 L the output.
/// </summary>
internal sealed class Activations : ResourceOwner
{
    private readonly WriterBlocks? _writers;

    /// <summary>Allocates a workspace.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="device">The device.</param>
    /// <param name="capacity">The largest pass.</param>
    /// <param name="keepWriters">Whether the heads' and MLPs' outputs of all layers are kept, not just the current layer's.</param>
    /// <param name="keepLayers">Whether all layers are kept for a backward pass. Without it every layer uses the same memory, and only
    /// the last two boundaries' residual streams are there after a pass.</param>
    /// <param name="keepRatios">Whether the activation function's ratio f(x) / x is kept, not its derivative.</param>
    /// <param name="keysValues">Per layer [rows, 2 D], where keys and values are kept, apart from queries; null to allocate them like
    /// the rest.</param>
    public Activations(
        Gpt2Config config, Device device, PassCapacity capacity, bool keepWriters, bool keepLayers = true, bool keepRatios = false,
        Tensor[]? keysValues = null)
    {
        Debug.Assert(keepLayers || !keepWriters, "writers of layers that are not kept");
        Capacity = capacity;
        KeepsWriters = keepWriters;
        int layers = config.Layers;
        Boundaries = new Boundary[(2 * layers) + 1];
        Qkv = new Tensor?[layers];
        Q = new Tensor[layers];
        Kv = new Tensor[layers];
        Probabilities = new Tensor[layers];
        Derivative = new Tensor[layers];
        Z = new Tensor[layers];
        MlpOutput = new Tensor[layers];
        if (keepWriters) _writers = Own(new WriterBlocks(device, layers, capacity, config.Width, input: false));
        Tensor? sharedZ = keepWriters ? null : Own(device.Allocate(capacity.Rows, config.Width));
        Tensor? sharedMlp = keepWriters ? null : Own(device.Allocate(capacity.Rows, config.Width));
        for (int l = 0; l < layers; l++)
        {
            if (l > 0 && !keepLayers)
            {
                Boundaries[2 * l] = Boundaries[0];
                Boundaries[(2 * l) + 1] = Boundaries[1];
                (Qkv[l], Q[l], Kv[l], Probabilities[l], Derivative[l], Z[l], MlpOutput[l]) = (
                    Qkv[0], Q[0], keysValues?[l] ?? Kv[0], Probabilities[0], Derivative[0], Z[0], MlpOutput[0]);
                continue;
            }
            bool last = keepLayers && l == layers - 1;
            int queryRows = last ? capacity.FinalRows : capacity.Rows;
            Boundaries[2 * l] = MakeBoundary(capacity.Rows);
            Boundaries[(2 * l) + 1] = MakeBoundary(queryRows);
            if (keysValues is null && !(last && capacity.AnswerOnly))
            {
                Tensor all = Own(device.Allocate(capacity.Rows, 3 * config.Width));
                (Qkv[l], Q[l], Kv[l]) = (all, QueriesOf(all, config.Width), KeysValuesOf(all, config.Width));
            }
            else
            {
                Q[l] = Own(device.Allocate(queryRows, config.Width));
                Kv[l] = keysValues?[l] ?? Own(device.Allocate(capacity.Rows, 2 * config.Width));
            }
            long probabilities = config.Heads * (last ? capacity.FinalProbabilitiesPerHead : capacity.ProbabilitiesPerHead);
            Probabilities[l] = Own(device.Allocate(checked((int)probabilities)));
            Derivative[l] = Own(device.Allocate(queryRows, config.InnerWidth));
            Z[l] = sharedZ ?? _writers!.Z[l];
            MlpOutput[l] = sharedMlp ?? _writers!.Mlp[l];
        }
        Boundaries[2 * layers] = keepLayers ? MakeBoundary(capacity.FinalRows) : Boundaries[0];
        Normed = Own(device.Allocate(capacity.Rows, config.Width));
        AnswerNormed = Own(device.Allocate(capacity.Sequences, config.Width));
        AnswerResidual = Own(device.Allocate(capacity.Sequences, config.Width));
        AnswerRstd = Own(device.Allocate(capacity.Sequences));
        Hidden = Own(device.Allocate(capacity.Rows, config.InnerWidth));
        if (keepRatios) Slopes = Own(device.Allocate(capacity.Rows, config.InnerWidth));

        Boundary MakeBoundary(int rows) =>
            new(Own(device.Allocate(rows, config.Width)), Own(device.Allocate(rows)), Own(device.Allocate(rows)));
    }

    /// <summary>The residual stream at a boundary with the statistics of the LayerNorm that reads it.</summary>
    /// <param name="Residual">[rows, D].</param>
    /// <param name="Mean">[rows].</param>
    /// <param name="Rstd">[rows].</param>
    public readonly record struct Boundary(Tensor Residual, Tensor Mean, Tensor Rstd);

    /// <summary>The largest pass that fits.</summary>
    public PassCapacity Capacity { get; }

    /// <summary>Whether every layer's writers are kept.</summary>
    public bool KeepsWriters { get; }

    /// <summary><see cref="Z"/> and <see cref="MlpOutput"/> of all layers, where they are kept.</summary>
    public WriterBlocks Writers => _writers ?? throw new InvalidOperationException("writers that are not kept");

    /// <summary>What attention reads in front of the rows that are run; null where passes run whole prompts. Not owned.</summary>
    public PrefixKeys? Prefix { get; set; }

    /// <summary>2 L + 1 boundaries.</summary>
    public Boundary[] Boundaries { get; }

    /// <summary>
    /// Queries, keys and values per layer side by side [rows, 3 D], as one product makes them. Null in a last layer whose queries are those
    /// of the answer rows alone, and where keys and values are kept apart.
    /// </summary>
    public Tensor?[] Qkv { get; }

    /// <summary>Queries per layer: [query rows, D], or the part of <see cref="Qkv"/>.</summary>
    public Tensor[] Q { get; }

    /// <summary>Keys and values per layer: [rows, 2 D], or the part of <see cref="Qkv"/>.</summary>
    public Tensor[] Kv { get; }

    /// <summary>Attention probabilities per layer.</summary>
    public Tensor[] Probabilities { get; }

    /// <summary>Derivative of the activation function per layer, or its ratio f(x) / x [query rows, inner].</summary>
    public Tensor[] Derivative { get; }

    /// <summary>The heads' mixed values per layer [query rows, D], before the output projection.</summary>
    public Tensor[] Z { get; }

    /// <summary>The MLP's output per layer [query rows, D].</summary>
    public Tensor[] MlpOutput { get; }

    /// <summary>A LayerNorm's output [rows, D]: after a pass that of the final one [final rows, D]; during a pass scratch.</summary>
    public Tensor Normed { get; }

    /// <summary>Scratch: rows picked at the answer positions [sequences, D].</summary>
    public Tensor AnswerNormed { get; }

    /// <summary>Scratch: residual rows picked at the answer positions [sequences, D].</summary>
    public Tensor AnswerResidual { get; }

    /// <summary>The last layer's attention rstd at the answer positions [sequences], in an answer-only pass.</summary>
    public Tensor AnswerRstd { get; }

    /// <summary>Scratch: the MLP's hidden layer [rows, inner].</summary>
    public Tensor Hidden { get; }

    /// <summary>Scratch where ratios are kept [rows, inner], else null.</summary>
    public Tensor? Slopes { get; }

    /// <summary>All heads of a layer, and how their queries, keys and values lie here.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="layer">Index of the layer.</param>
    /// <returns>What the device needs of them.</returns>
    public HeadGroup HeadsOf(Gpt2Config config, int layer) =>
        ForwardPass.HeadsOf(config, layer) with { Joined = Qkv[layer] is not null };

    /// <summary>The queries among rows of queries, keys and values.</summary>
    /// <param name="all">[rows, 3 D].</param>
    /// <param name="width">D.</param>
    /// <returns>From the first query on.</returns>
    public static Tensor QueriesOf(Tensor all, int width) => all.Slice(0, checked((int)(all.Length - (2 * width))));

    /// <summary>The keys and values among rows of queries, keys and values.</summary>
    /// <param name="all">[rows, 3 D].</param>
    /// <param name="width">D.</param>
    /// <returns>From the first key on.</returns>
    public static Tensor KeysValuesOf(Tensor all, int width) => all.Slice(width, checked((int)(all.Length - width)));
}
