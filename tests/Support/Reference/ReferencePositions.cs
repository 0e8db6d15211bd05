using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Tests.Support.Reference;

/// <summary>
/// One prompt through the model with edges between spans of tokens: a key or value has an input of its own for the queries of each span,
/// and at each row the input takes what edges from that row's span carry.
/// </summary>
/// <param name="model">The weights.</param>
/// <param name="spans">The span of each token.</param>
/// <param name="count">Number of spans.</param>
internal sealed class ReferencePositions(ReferenceModel model, int[] spans, int count)
{
    /// <summary>
    /// Input of every reader by the span of queries, [column][span]; for other readers than keys and values all the same.
    /// </summary>
    public TapeNode[][] Readers { get; } = [.. Enumerable.Range(0, model.Graph.Columns).Select(_ => new TapeNode[count])];

    /// <summary>Runs the model.</summary>
    /// <param name="embedding">[P, D].</param>
    /// <param name="isIn">Whether the edge from a writer in a span to a reader in a span carries its writer's output.</param>
    /// <param name="replacement">What other edges carry, per writer.</param>
    /// <param name="rules">What stands in place of derivatives.</param>
    public ReferenceRun Forward(
        RealMatrix embedding, Func<int, int, int, int, bool>? isIn = null, RealMatrix[]? replacement = null, ReferenceRules? rules = null)
    {
        rules ??= new ReferenceRules();
        ReferenceGraph graph = model.Graph;
        Gpt2Config config = model.Config;
        Tape tape = new();
        var writers = new TapeNode[graph.Rows];
        RealMatrix constants = model.PositionEmbedding.RowBlock(0, embedding.Rows);
        writers[0] = tape.Leaf(embedding);
        for (int l = 0; l < config.Layers; l++)
        {
            ReferenceLayer layer = model.Layers[l];
            for (int h = 0; h < config.Heads; h++)
            {
                int head = h;
                TapeNode Projected(int part, int t)
                {
                    TapeNode input = Read(graph.ColumnOfHead(l, part, head), part == 0 ? null : t);
                    TapeNode normal = tape.LayerNorm(input, layer.AttentionGain, layer.AttentionShift, model.Epsilon, rules.FrozenNorms);
                    return tape.Linear(normal, layer.Weight(part, head), layer.Bias(part, head));
                }
                TapeNode query = Projected(0, 0);
                var mixed = new List<TapeNode>();
                for (int t = 0; t < count; t++)
                {
                    TapeNode key = Projected(1, t), value = Projected(2, t);
                    TapeNode scores = tape.Scale(tape.Product(query, tape.Transpose(key), rules.ShareOfFactors), layer.AttentionScale);
                    TapeNode pattern = tape.Softmax(scores, causal: true, rules.SoftmaxTemperature);
                    if (rules.FrozenPatterns) pattern = tape.Leaf(pattern.Value);
                    mixed.Add(RowsOf(tape.Product(pattern, value, rules.ShareOfFactors), t));
                }
                RealMatrix zero = new(embedding.Rows, mixed[0].Value.Columns);
                writers[graph.RowOfHead(l, h)] = tape.Linear(tape.Sum(mixed, zero), layer.Output(h));
            }
            constants = PlusRow(constants, layer.OutputBias);
            TapeNode mlp = tape.LayerNorm(
                Read(graph.ColumnOfMlp(l), null), layer.MlpGain, layer.MlpShift, model.Epsilon, rules.FrozenNorms);
            TapeNode hidden = tape.Map(
                tape.Linear(mlp, layer.Up, layer.UpBias),
                x => ReferenceActivation.Value(config.Activation, x),
                x => rules.ActivationRatios && x != 0
                    ? ReferenceActivation.Value(config.Activation, x) / x
                    : ReferenceActivation.Derivative(config.Activation, x));
            writers[graph.RowOfMlp(l)] = tape.Linear(hidden, layer.Down, layer.DownBias);
        }
        TapeNode final = tape.LayerNorm(Read(graph.Columns - 1, null), model.FinalGain, model.FinalShift, model.Epsilon, rules.FrozenNorms);
        return new ReferenceRun(
            tape, writers, [.. Readers.Select(r => r[0])], tape.Linear(final, model.Unembedding, model.UnembeddingBias));

        TapeNode Read(int column, int? to)
        {
            RealMatrix constant = new(constants.Rows, constants.Columns, [.. constants.Data]);
            List<TapeNode> terms = [];
            for (int row = 0; row < graph.WritersBefore(column); row++)
            {
                for (int s = 0; s < count; s++)
                {
                    if (isIn?.Invoke(row, s, column, to ?? s) ?? true) terms.Add(RowsOf(writers[row], s));
                    else constant.Add(RealMatrix.Product(Diagonal(s), replacement![row]));
                }
            }
            TapeNode input = tape.Sum(terms, constant);
            if (to is { } span) return Readers[column][span] = input;
            Array.Fill(Readers[column], input);
            return input;
        }

        TapeNode RowsOf(TapeNode x, int span) => tape.Product(tape.Leaf(Diagonal(span)), x);
    }

    /// <summary>Adds (replacement - clean) . gradient of every edge, with the run's gradients in place.</summary>
    /// <param name="delta">Per writer its difference.</param>
    /// <param name="factor">What the products are multiplied with.</param>
    /// <param name="add">Told writer, its span, reader, its span, and the product.</param>
    public void AddProducts(RealMatrix[] delta, double factor, Action<int, int, int, int, double> add)
    {
        foreach ((int u, int v) in model.Graph.Edges)
        {
            bool attends = model.Graph.ReaderNames[v].Contains("<k>", StringComparison.Ordinal)
                || model.Graph.ReaderNames[v].Contains("<v>", StringComparison.Ordinal);
            for (int p = 0; p < spans.Length; p++)
            {
                for (int t = 0; t < count; t++)
                {
                    if (!attends && t != spans[p]) continue;
                    double product = 0;
                    Span<double> difference = delta[u].Row(p), gradient = Readers[v][t].GradientOrZero.Row(p);
                    for (int d = 0; d < difference.Length; d++) product += difference[d] * gradient[d];
                    add(u, spans[p], v, t, factor * product);
                }
            }
        }
    }

    private RealMatrix Diagonal(int span)
    {
        RealMatrix diagonal = new(spans.Length, spans.Length);
        for (int p = 0; p < spans.Length; p++) diagonal[p, p] = spans[p] == span ? 1 : 0;
        return diagonal;
    }

    private static RealMatrix PlusRow(RealMatrix matrix, double[] row)
    {
        RealMatrix result = new(matrix.Rows, matrix.Columns);
        for (int i = 0; i < result.Data.Length; i++) result.Data[i] = matrix.Data[i] + row[i % row.Length];
        return result;
    }
}
