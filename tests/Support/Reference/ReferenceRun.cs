using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Tests.Support.Reference;

/// <summary>What a run does differently from the plain model.</summary>
internal sealed record ReferencePatch
{
    /// <summary>[F, K]: edges at false read their writer's <see cref="Replacement"/>, not its output in this run. Null: all true.</summary>
    public bool[,]? InCircuit { get; init; }

    /// <summary>
    /// [F, K]: soft masks z in place of <see cref="InCircuit"/>: an edge carries z times its writer's output plus (1 - z) times the
    /// replacement.
    /// </summary>
    public double[,]? Masks { get; init; }

    /// <summary>Per writer what the edges outside the circuit carry, [P, D] each.</summary>
    public RealMatrix[]? Replacement { get; init; }

    /// <summary>Writers whose output is not computed but given, by row.</summary>
    public IReadOnlyDictionary<int, RealMatrix> Given { get; init; } = new Dictionary<int, RealMatrix>();

    /// <summary>Readers whose input is given at some positions, by column.</summary>
    public IReadOnlyDictionary<int, (RealMatrix Input, bool[] Positions)> GivenInputs { get; init; } =
        new Dictionary<int, (RealMatrix Input, bool[] Positions)>();

    /// <summary>What stands in place of derivatives when the run is differentiated. Null: nothing.</summary>
    public ReferenceRules? Rules { get; init; }
}

/// <summary>
/// One prompt through the model, edge by edge: every reader (q, k and v of each head, each MLP, logits) has an input of its own,
///   input of v = constants before v + sum over writers u before v of (output of u, or its replacement on edge u->v),
/// and applies its own LayerNorm. Constants: the position embedding, and b_O of every attention block before v.
/// </summary>
internal sealed class ReferenceRun
{
    internal ReferenceRun(Tape tape, TapeNode[] writers, TapeNode[] readers, TapeNode logits)
    {
        Tape = tape;
        Writers = writers;
        Readers = readers;
        Logits = logits;
    }

    public Tape Tape { get; }

    /// <summary>Output of every writer, [P, D] each; row 0 is the token embedding.</summary>
    public IReadOnlyList<TapeNode> Writers { get; }

    /// <summary>Input of every reader, before its LayerNorm, [P, D] each.</summary>
    public IReadOnlyList<TapeNode> Readers { get; }

    /// <summary>The token embedding, [P, D].</summary>
    public TapeNode Embedding => Writers[0];

    /// <summary>The residual stream before the final LayerNorm, [P, D].</summary>
    public TapeNode FinalResidual => Readers[^1];

    /// <summary>[P, V].</summary>
    public TapeNode Logits { get; }

    /// <summary>Logits at the last position, [1, V].</summary>
    public RealMatrix LastLogits => Logits.Value.RowBlock(Logits.Value.Rows - 1, 1);

    /// <summary>Runs the model on token embeddings.</summary>
    /// <param name="model">The weights.</param>
    /// <param name="tokenEmbedding">[P, D]; any point of the embedding space.</param>
    /// <param name="patch">What to do differently, if anything.</param>
    public static ReferenceRun Forward(ReferenceModel model, RealMatrix tokenEmbedding, ReferencePatch? patch = null)
    {
        patch ??= new ReferencePatch();
        ReferenceRules rules = patch.Rules ?? new ReferenceRules();
        ReferenceGraph graph = model.Graph;
        Gpt2Config config = model.Config;
        Tape tape = new();
        TapeNode[] writers = new TapeNode[graph.Rows];
        TapeNode[] readers = new TapeNode[graph.Columns];
        RealMatrix constants = model.PositionEmbedding.RowBlock(0, tokenEmbedding.Rows);

        TapeNode Read(int column)
        {
            RealMatrix constant = new(constants.Rows, constants.Columns, [.. constants.Data]);
            List<TapeNode> terms = [];
            for (int row = 0; row < graph.WritersBefore(column); row++)
            {
                if (patch.Masks is { } masks)
                {
                    terms.Add(tape.Scale(writers[row], masks[row, column]));
                    constant.Add(patch.Replacement![row], 1 - masks[row, column]);
                }
                else if (patch.InCircuit is null || patch.InCircuit[row, column])
                {
                    terms.Add(writers[row]);
                }
                else
                {
                    constant.Add(patch.Replacement![row]);
                }
            }
            TapeNode own = tape.Sum(terms, constant);
            return readers[column] = patch.GivenInputs.TryGetValue(column, out var given)
                ? tape.Leaf(RealMatrix.SelectRows(given.Positions, given.Input, own.Value))
                : own;
        }

        void Write(int row, Func<TapeNode> compute)
        {
            TapeNode own = compute();
            writers[row] = patch.Given.TryGetValue(row, out RealMatrix? given) ? tape.Leaf(given) : own;
        }

        Write(0, () => tape.Leaf(tokenEmbedding));
        for (int l = 0; l < config.Layers; l++)
        {
            ReferenceLayer layer = model.Layers[l];
            for (int h = 0; h < config.Heads; h++)
            {
                TapeNode Projected(int part)
                {
                    TapeNode input = Read(graph.ColumnOfHead(l, part, h));
                    TapeNode normal = tape.LayerNorm(input, layer.AttentionGain, layer.AttentionShift, model.Epsilon, rules.FrozenNorms);
                    return tape.Linear(normal, layer.Weight(part, h), layer.Bias(part, h));
                }

                Write(graph.RowOfHead(l, h), () =>
                {
                    TapeNode query = Projected(0), key = Projected(1), value = Projected(2);
                    TapeNode scores = tape.Scale(
                        tape.Product(query, tape.Transpose(key), rules.ShareOfFactors), layer.AttentionScale);
                    TapeNode pattern = tape.Softmax(scores, causal: true, rules.SoftmaxTemperature);
                    if (rules.FrozenPatterns) pattern = tape.Leaf(pattern.Value);
                    TapeNode mixed = tape.Product(pattern, value, rules.ShareOfFactors);
                    return tape.Linear(mixed, layer.Output(h));
                });
            }
            constants = PlusRow(constants, layer.OutputBias);
            Write(graph.RowOfMlp(l), () =>
            {
                TapeNode normal = tape.LayerNorm(
                    Read(graph.ColumnOfMlp(l)), layer.MlpGain, layer.MlpShift, model.Epsilon, rules.FrozenNorms);
                TapeNode hidden = tape.Map(
                    tape.Linear(normal, layer.Up, layer.UpBias),
                    x => ReferenceActivation.Value(config.Activation, x),
                    x => rules.ActivationRatios && x != 0
                        ? ReferenceActivation.Value(config.Activation, x) / x
                        : ReferenceActivation.Derivative(config.Activation, x));
                return tape.Linear(hidden, layer.Down, layer.DownBias);
            });
        }
        TapeNode final = tape.LayerNorm(Read(graph.Columns - 1), model.FinalGain, model.FinalShift, model.Epsilon, rules.FrozenNorms);
        return new ReferenceRun(tape, writers, readers, tape.Linear(final, model.Unembedding, model.UnembeddingBias));
    }

    private static RealMatrix PlusRow(RealMatrix matrix, double[] row)
    {
        RealMatrix result = new(matrix.Rows, matrix.Columns);
        for (int i = 0; i < result.Data.Length; i++)
        {
            result.Data[i] = matrix.Data[i] + row[i % row.Length];
        }
        return result;
    }
}
