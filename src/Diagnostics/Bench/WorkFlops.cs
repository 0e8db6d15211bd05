using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Diagnostics.Bench;

/// <summary>
/// Floating-point operations of the products that a work cannot do without: positions before the first difference of a pair run once, the
/// last layer makes queries and MLPs for the answer position only, writers that a circuit lacks do not run, a path moves all positions.
/// </summary>
/// <param name="Config">The model's shape.</param>
/// <param name="Pairs">Number of pairs.</param>
/// <param name="Tokens">Tokens of each prompt.</param>
/// <param name="Shared">Tokens before the first difference of a pair.</param>
internal sealed record WorkFlops(Gpt2Config Config, int Pairs, int Tokens, int Shared)
{
    private double D => Config.Width;

    private double KeysValues => 2 * D * 2 * D;

    private double Mlp => 2.0 * 2 * D * Config.InnerWidth;

    private double HeadWidth => D / Config.Heads;

    // Rows of the positions that differ.
    private double Rows => (double)Pairs * (Tokens - Shared);

    private double Attention => AttentionOf(Shared, Tokens);

    // Queries, attention, output projection and MLP.
    private double QuerySide => QuerySideOf(Shared, Tokens);

    /// <summary>A scoring method with the logit difference.</summary>
    /// <param name="options">Method and settings, of one that takes gradients in whole passes.</param>
    /// <param name="wholePrompts">Whether the positions that a pair shares run with every pass.</param>
    public double Method(AttributionOptions options, bool wholePrompts = false)
    {
        bool path = options.Method.Takes(MethodSettings.EmbeddingPath);
        if (Shared > 0 && (wholePrompts || !options.Method.SharesPrefixes(options))) return (this with { Shared = 0 }).Method(options);
        if (options.Method.CountPasses(options) is not { Backward: > 0 } passes)
            throw new ArgumentException($"the flops of {options.Method} are not known", nameof(options));
        double rows = Rows, answers = path ? rows : Pairs;
        double forward = Forward(rows, answers);

        // Backward: the same products, and the attention's twice.
        double backward = forward + ((Config.Layers - 1) * rows * Attention);
        double spread = Config.Layers * rows * 2 * D * D;
        double readers = Config.Layers * rows * 2 * 3 * D * D;

        // Each step of a path has a forward and two backward passes, one of them of the distance that it descends; beside its steps there
        // are two forward passes more than backward ones.
        double distance = path ? (passes.Backward - passes.Forward + 2) * rows * 2 * D * D : 0;
        return Prefix + (passes.Forward * forward) + (passes.Backward * backward) + spread + readers + Contraction(rows) + distance;
    }

    /// <summary>The evaluation of circuits: both prompts, each circuit's own nodes, and the vocabulary for the KL divergence.</summary>
    /// <param name="circuits">The circuits, pruned.</param>
    public double Evaluation(params IReadOnlyList<Circuit> circuits)
    {
        // The full model's outputs are the clean run's, the empty circuit's the corrupted run's.
        int others = circuits.Count(c => c.EdgeCount < c.Graph.EdgeCount);
        return Prefix + (2 * Forward(Rows, Pairs)) + circuits.Sum(Nodes) + ((2 + others) * Distribution(Pairs));
    }

    /// <summary>Exact patching of the edges into some sublayers: behind its reader, each edge runs the rest of the model anew.</summary>
    /// <param name="graph">The model's graph.</param>
    /// <param name="sublayers">Which sublayers, or null for all and the nodes as well.</param>
    public double Exact(ComputationGraph graph, Func<int, bool>? sublayers)
    {
        double total = Prefix + (2 * Forward(Rows, Pairs)), behind = 0;
        for (int sublayer = 2 * Config.Layers; sublayer >= 0; sublayer--)
        {
            bool logits = sublayer == 2 * Config.Layers, attention = sublayer % 2 == 0 && !logits;
            double answers = AnswerRows(sublayer / 2);
            double own = logits ? 0 : attention ? HeadRun(answers) : answers * Mlp;
            int readers = graph.ReadersOfSublayer(sublayer);
            int writers = graph.WritersBeforeSublayer(sublayer);
            if (sublayers?.Invoke(sublayer) != false)
            {
                total += (double)readers * writers * (own + behind);
                if (attention) total += (double)Config.Heads * writers * Projection * (answers + (2 * Rows));
            }
            if (!logits) behind += attention ? (Rows * KeysValues) + (answers * (QuerySide - Mlp)) : answers * Mlp;
            int nodes = sublayer == 0 ? 1 : writers - graph.WritersBeforeSublayer(sublayer - 1);
            if (sublayers is null) total += nodes * behind;
        }
        return total;
    }

    /// <summary>
    /// Edge pruning with a mask on every edge: both prompts of all pairs once, then steps of one batch. A step mixes the inputs of
    /// every reader, spreads their gradients and makes every edge's, each writers x readers x rows x D multiply-adds, and runs the
    /// layers forwards and backwards.
    /// </summary>
    /// <param name="steps">Number of steps.</param>
    /// <param name="batch">Pairs of a step.</param>
    public double EdgePruning(int steps, int batch)
    {
        WorkFlops one = this with { Pairs = batch };
        ComputationGraph graph = new(Config);
        double mixing = 0, layers = 0;
        for (int l = 0; l < Config.Layers; l++)
        {
            double answers = one.AnswerRows(l);
            mixing += Mixes(graph.HeadRow(l, 0)) * ((2 * Config.Heads * one.Rows) + (Config.Heads * answers));
            mixing += Mixes(graph.MlpRow(l)) * answers;
            layers += (2 * ((one.Rows * KeysValues) + (answers * QuerySide))) + (answers * Attention);
        }
        mixing += Mixes(graph.Writers) * batch;
        double step = (D * mixing) + layers + (2 * Distribution(batch));
        return Prefix + (2 * Forward(Rows, Pairs)) + Distribution(Pairs) + (steps * step);

        // The input's output hands no gradient back.
        static double Mixes(double writers) => (2 * 2 * writers) + (2 * (writers - 1));
    }

    // One head's query, key or value of one row.
    private double Projection => 2 * D * HeadWidth;

    // Keys and values of the last layer are all that is wanted of the positions that a pair shares.
    private double Prefix => Shared * (double)Pairs * (((Config.Layers - 1) * (KeysValues + QuerySideOf(0, Shared))) + KeysValues);

    private double AttentionOf(int first, int end) => 2 * D * (first + 1 + end);

    private double QuerySideOf(int first, int end) => (2 * D * 2 * D) + AttentionOf(first, end) + Mlp;

    private double Forward(double rows, double answers) =>
        ((Config.Layers - 1) * rows * (KeysValues + QuerySide)) + (rows * KeysValues) + (answers * QuerySide);

    // Rows in which a layer's queries and MLP are wanted.
    private double AnswerRows(int layer) => layer == Config.Layers - 1 ? Pairs : Rows;

    // A head from its query on: attention and output projection.
    private double HeadRun(double rows) => rows * ((Attention / Config.Heads) + (2 * HeadWidth * D));

    private double Distribution(int rows) => 2.0 * rows * D * Config.Vocabulary;

    // What a circuit runs beside the two runs: the readers that are fed, the heads and MLPs that are read, and for each reader the sum of
    // the differences of the writers that it has, or of those that it lacks where they are fewer. The full circuit is the clean run.
    private double Nodes(Circuit circuit)
    {
        ComputationGraph graph = circuit.Graph;
        if (circuit.EdgeCount == graph.EdgeCount) return 0;
        ReadOnlySpan<bool> edges = circuit.Membership;
        double flops = 0;
        for (int column = 0; column < graph.Readers; column++)
        {
            int before = graph.WritersBefore(column), kept = 0;
            for (int row = 0; row < before; row++) kept += edges[(row * graph.Readers) + column] ? 1 : 0;
            if (kept == 0) continue;
            (double rows, double own) = graph.KindOfReader(column) switch
            {
                NodeKind.Logits => (Pairs, 0),
                NodeKind.Mlp => (AnswerRows(graph.LayerOfReader(column)), Mlp),
                _ => (graph.InputOfReader(column) == HeadInput.Query ? AnswerRows(graph.LayerOfReader(column)) : Rows, Projection),
            };
            flops += rows * ((D * Math.Min(kept, before - kept)) + own);
        }
        for (int layer = 0; layer < graph.Layers; layer++)
        {
            for (int head = 0; head < graph.Heads; head++)
            {
                if (edges.Slice(graph.HeadRow(layer, head) * graph.Readers, graph.Readers).Contains(true))
                {
                    flops += HeadRun(AnswerRows(layer));
                }
            }
        }
        return flops;
    }

    private double Contraction(double rows)
    {
        ComputationGraph graph = new(Config);
        double contraction = 0;
        for (int sublayer = 0; sublayer < 2 * Config.Layers; sublayer++)
            contraction += 2 * rows * D * graph.ReadersOfSublayer(sublayer) * graph.WritersBeforeSublayer(sublayer);
        return contraction;
    }
}
