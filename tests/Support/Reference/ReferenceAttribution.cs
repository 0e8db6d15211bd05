using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Tests.Support.Reference;

/// <summary>
/// All attribution methods, one item at a time, straight from their definitions. With delta_u = replacement - clean output of writer u
/// and g_v = d loss / d input of reader v, an item's score of the edge u->v is the sum over positions and D of delta_u g_v,
/// g averaged over the method's gradient points; exact and information flow routes are defined without gradients.
/// </summary>
internal static class ReferenceAttribution
{
    /// <summary>Edge scores and node scores over a set of pairs.</summary>
    public static ReferenceScores Score(ReferenceModel model, IReadOnlyList<PromptPair> pairs, ReferenceOptions options) =>
        options.Method.Members.Count > 0
            ? Ensemble(model, pairs, options)
            : ReferenceScores.Normalize(ScoreItems(model, pairs, options), options);

    /// <summary>The same before normalisation, item by item.</summary>
    public static ReferenceScores[] ScoreItems(ReferenceModel model, IReadOnlyList<PromptPair> pairs, ReferenceOptions options)
    {
        ReferenceItem[] items = ReferenceItem.Prepare(model, pairs, options.Ablation);
        bool together = options.Method == AttributionMethods.EapGp && options.Norm == ReferenceNorm.Batch;
        ReferenceItem[][] batches = [.. items.Chunk(together ? options.BatchSize : 1)];
        ReferenceScores[][] scores = new ReferenceScores[batches.Length][];
        Parallel.For(0, batches.Length, b => scores[b] = options.Method == AttributionMethods.EapGp
            ? EapGp(model, batches[b], options)
            : [ScoreItem(model, batches[b][0], options)]);
        return [.. scores.SelectMany(s => s)];
    }

    private static ReferenceScores ScoreItem(ReferenceModel model, ReferenceItem item, ReferenceOptions options)
    {
        ReferenceScores scores = new(model.Graph.Rows, model.Graph.Columns);
        switch (options.Method.Name)
        {
            case "eap":
                AddGradientAt(scores, model, item, item.CleanEmbedding, options.Metric, 1);
                break;
            case "relp":
                AddGradientAt(scores, model, item, item.CleanEmbedding, options.Metric, 1, ReferenceRules.Relp);
                break;
            case "gim":
                AddGradientAt(scores, model, item, item.CleanEmbedding, options.Metric, 1, ReferenceRules.Gim);
                break;
            case "atp-star":
                AtpStar(scores, model, item, options.Metric);
                break;
            case "clean-corrupted":
                AddGradientAt(scores, model, item, item.CleanEmbedding, options.Metric, 0.5);
                AddGradientAt(scores, model, item, item.CorruptedEmbedding, options.Metric, 0.5);
                break;
            case "eap-ig":
                foreach (double a in IgPoints(options.IgPoints, options.Steps))
                {
                    RealMatrix point = RealMatrix.Interpolate(item.CorruptedEmbedding, item.CleanEmbedding, a);
                    AddGradientAt(scores, model, item, point, options.Metric, 1.0 / options.Steps);
                }
                break;
            case "ceap":
                Ceap(scores, model, item, options);
                break;
            case "eap-ig-activations":
                EapIgActivations(scores, model, item, options);
                break;
            case "exact":
                Exact(scores, model, item, options.Metric);
                break;
            case "information-flow-routes":
                InformationFlowRoutes(scores, model.Graph, item.Clean, options.UndefinedFlow);
                break;
            case "magnitude":
                Magnitude(scores, model.Graph, item);
                break;
            default:
                throw new ArgumentException($"there is no reference for {options.Method}; add one here", nameof(options));
        }
        return scores;
    }

    /// <summary>The values of a in e' + a (e - e').</summary>
    public static IEnumerable<double> IgPoints(ReferenceIgPoints points, int steps) => Enumerable.Range(0, steps).Select(i => points switch
    {
        ReferenceIgPoints.Left => (double)i / steps,
        ReferenceIgPoints.Right => (i + 1.0) / steps,
        _ => (i + 0.5) / steps,
    });

    /// <summary>
    /// Ranks by counting: the edges that are weaker, and half of those that tie. The sign is that of the sum of the members' scores, each
    /// over its largest size, of members that have signs.
    /// </summary>
    private static ReferenceScores Ensemble(ReferenceModel model, IReadOnlyList<PromptPair> pairs, ReferenceOptions options)
    {
        (int Row, int Column)[] edges = [.. model.Graph.Edges];
        (AttributionMethod Method, double[] Scores)[] members = [.. options.Method.Members.Select(m =>
        {
            double[,] own = Score(model, pairs, options with { Method = m }).Edges;
            return (m, Array.ConvertAll(edges, e => own[e.Row, e.Column]));
        })];
        ReferenceScores scores = new(model.Graph.Rows, model.Graph.Columns);
        for (int e = 0; e < edges.Length; e++)
        {
            double[] ranks = [.. members.Select(m =>
            {
                double size = Math.Abs(m.Scores[e]);
                int weaker = m.Scores.Count(s => Math.Abs(s) < size), same = m.Scores.Count(s => Math.Abs(s) == size);
                return (weaker + ((same + 1) / 2.0)) / edges.Length;
            })];
            double sum = members.Where(m => m.Method.HasSign).Sum(m => m.Scores[e] / m.Scores.Max(Math.Abs));
            double rank = options.Method.Rule switch
            {
                EnsembleRule.MeanRank => ranks.Average(),
                EnsembleRule.Min => ranks.Min(),
                EnsembleRule.Max => ranks.Max(),
                _ => ranks.Aggregate((a, b) => a * b),
            };
            scores.Edges[edges[e].Row, edges[e].Column] = sum < 0 ? -rank : rank;
        }
        return scores;
    }

    private static void AddGradientAt(
        ReferenceScores scores, ReferenceModel model, ReferenceItem item, RealMatrix embedding, Metric metric, double factor,
        ReferenceRules? rules = null)
    {
        ReferenceRun run = ReferenceRun.Forward(model, embedding, new ReferencePatch { Rules = rules });
        item.DifferentiateLoss(run, metric);
        scores.AddProducts(model.Graph, item.Delta, run, factor);
    }

    /// <summary>Segment k of m: writers at the share k/m minus writers at (k + 1)/m, times the gradient at the k-th point.</summary>
    private static void Ceap(ReferenceScores scores, ReferenceModel model, ReferenceItem item, ReferenceOptions options)
    {
        ReferenceRun At(double share) => ReferenceRun.Forward(
            model, RealMatrix.Interpolate(item.CorruptedEmbedding, item.CleanEmbedding, share));

        foreach ((int k, double point) in IgPoints(options.IgPoints, options.Steps).Index())
        {
            ReferenceRun start = At((double)k / options.Steps), end = At((k + 1.0) / options.Steps), run = At(point);
            RealMatrix[] change = [.. start.Writers.Zip(end.Writers, (from, to) => RealMatrix.Difference(from.Value, to.Value))];
            item.DifferentiateLoss(run, options.Metric);
            scores.AddProducts(model.Graph, change, run, 1);
        }
    }

    /// <summary>
    /// Sites: input; all heads of a layer; an MLP. The site's writers output (i/m) clean + (1 - i/m) replacement, as constants.
    /// </summary>
    private static void EapIgActivations(ReferenceScores scores, ReferenceModel model, ReferenceItem item, ReferenceOptions options)
    {
        List<int[]> sites = [[0]];
        for (int l = 0; l < model.Config.Layers; l++)
        {
            sites.Add([.. Enumerable.Range(model.Graph.RowOfHead(l, 0), model.Config.Heads)]);
            sites.Add([model.Graph.RowOfMlp(l)]);
        }
        foreach (int[] site in sites)
        {
            for (int i = 1; i <= options.Steps; i++)
            {
                double a = (double)i / options.Steps;
                ReferencePatch patch = new()
                {
                    Given = site.ToDictionary(u => u, u => RealMatrix.Interpolate(item.Replacement[u], item.Clean.Writers[u].Value, a)),
                };
                ReferenceRun run = ReferenceRun.Forward(model, item.CleanEmbedding, patch);
                item.DifferentiateLoss(run, options.Metric);
                scores.AddProducts(model.Graph, item.Delta, run, 1.0 / (options.Steps * sites.Count));
            }
        }
    }

    /// <summary>
    /// For every layer but the reader's own: that layer's writers are constants, and the score is the size of delta_u . g_v. For queries
    /// and keys it is that of what the head writes with the edge patched, minus what it writes in the clean run, times the gradient there.
    /// A model of one layer has no other one; there nothing is a constant.
    /// </summary>
    private static void AtpStar(ReferenceScores scores, ReferenceModel model, ReferenceItem item, Metric metric)
    {
        ReferenceGraph graph = model.Graph;
        int layers = model.Config.Layers, perLayer = (3 * model.Config.Heads) + 1;
        int? LayerOf(int column) => column == graph.Columns - 1 ? null : column / perLayer;

        Dictionary<(int, int), RealMatrix> changes = [];
        foreach ((int u, int v) in graph.Edges)
        {
            if (Pattern(graph, model, v) is not int writer) continue;
            bool[,] without = graph.Circuit(graph.Edges.Where(e => e != (u, v)));
            ReferenceRun patched = ReferenceCircuit.Run(model, item, without);
            changes[(u, v)] = RealMatrix.Difference(patched.Writers[writer].Value, item.Clean.Writers[writer].Value);
        }
        for (int dropped = 0; dropped < layers; dropped++)
        {
            int[] constant = layers == 1 ? []
                : [.. Enumerable.Range(graph.RowOfHead(dropped, 0), model.Config.Heads), graph.RowOfMlp(dropped)];
            ReferenceRun run = ReferenceRun.Forward(
                model, item.CleanEmbedding, new ReferencePatch { Given = constant.ToDictionary(u => u, u => item.Clean.Writers[u].Value) });
            item.DifferentiateLoss(run, metric);
            foreach ((int u, int v) in graph.Edges)
            {
                if (layers > 1 && LayerOf(v) == dropped) continue;
                double score = Pattern(graph, model, v) is int writer
                    ? RealMatrix.Dot(changes[(u, v)], run.Writers[writer].GradientOrZero)
                    : RealMatrix.Dot(item.Delta[u], run.Readers[v].GradientOrZero);
                scores.Edges[u, v] += Math.Abs(score) / (layers == 1 || LayerOf(v) is null ? layers : layers - 1);
            }
        }
    }

    // The head that a query or key belongs to, or null.
    private static int? Pattern(ReferenceGraph graph, ReferenceModel model, int column)
    {
        for (int l = 0; l < model.Config.Layers; l++)
        {
            for (int h = 0; h < model.Config.Heads; h++)
            {
                if (graph.ColumnOfHead(l, 0, h) == column || graph.ColumnOfHead(l, 1, h) == column) return graph.RowOfHead(l, h);
            }
        }
        return null;
    }

    /// <summary>Loss with one edge (for node scores: all edges of one writer) corrupted, minus the loss of the clean run.</summary>
    private static void Exact(ReferenceScores scores, ReferenceModel model, ReferenceItem item, Metric metric)
    {
        double Loss(RealMatrix lastLogits) =>
            ReferenceMetric.LossSign(metric) * ReferenceMetric.Value(metric, lastLogits, item.Pair, item.Clean.LastLogits);

        double Effect(Func<(int Row, int Column), bool> isCorrupted)
        {
            bool[,] circuit = model.Graph.Circuit(model.Graph.Edges.Where(e => !isCorrupted(e)));
            return Loss(ReferenceCircuit.Run(model, item, circuit).LastLogits) - Loss(item.Clean.LastLogits);
        }

        foreach ((int Row, int Column) edge in model.Graph.Edges)
        {
            scores.Edges[edge.Row, edge.Column] = Effect(e => e == edge);
        }
        for (int u = 0; u < model.Graph.Rows; u++)
        {
            scores.Nodes[u] = Effect(e => e.Row == u);
        }
    }

    /// <summary>
    /// Per position p: prox_u = max(0, |y|_1 - |y - z_u|_1), y the reader's input, z_u the writer's output; prox_u / sum prox, mean over p.
    /// </summary>
    private static void InformationFlowRoutes(ReferenceScores scores, ReferenceGraph graph, ReferenceRun clean, double undefined)
    {
        int positions = clean.Embedding.Value.Rows;
        for (int v = 0; v < graph.Columns; v++)
        {
            for (int p = 0; p < positions; p++)
            {
                double[] y = clean.Readers[v].Value.Row(p).ToArray();
                double[] prox = [.. Enumerable.Range(0, graph.WritersBefore(v)).Select(u =>
                {
                    double[] z = clean.Writers[u].Value.Row(p).ToArray();
                    return Math.Max(0, y.Sum(Math.Abs) - y.Zip(z, (a, b) => Math.Abs(a - b)).Sum());
                })];
                double total = prox.Sum();
                for (int u = 0; u < prox.Length; u++)
                {
                    scores.Edges[u, v] += (total == 0 ? undefined : prox[u] / total) / positions;
                }
            }
        }
    }

    /// <summary>Sum over positions of |corrupted - clean output of the writer|_2, for all its readers and for the node.</summary>
    private static void Magnitude(ReferenceScores scores, ReferenceGraph graph, ReferenceItem item)
    {
        for (int u = 0; u < graph.Rows; u++)
        {
            RealMatrix delta = item.Delta[u];
            scores.Nodes[u] = Enumerable.Range(0, delta.Rows).Sum(p => Math.Sqrt(delta.Row(p).ToArray().Sum(x => x * x)));
        }
        foreach ((int u, int v) in graph.Edges) scores.Edges[u, v] = scores.Nodes[u];
    }

    private static ReferenceScores[] EapGp(ReferenceModel model, ReferenceItem[] batch, ReferenceOptions options)
    {
        EmbeddingPathWalk walk = ReferencePath.Walk(model, batch, options);
        return [.. batch.Select((item, i) =>
        {
            ReferenceScores scores = new(model.Graph.Rows, model.Graph.Columns);
            ReferenceRun[] runs = [.. walk.Points[i].Select(point => ReferenceRun.Forward(model, point))];

            // A path from the corrupted end runs against corrupted - clean.
            int sign = ReferencePath.FromClean(model, item, options) ? 1 : -1;
            foreach (ReferenceRun run in runs)
            {
                item.DifferentiateLoss(run, options.Metric);
            }
            for (int j = 0; j < options.Steps; j++)
            {
                if (options.Outer == ReferenceOuter.Delta)
                {
                    scores.AddProducts(model.Graph, item.Delta, runs[j + 1], 1.0 / options.Steps);
                }
                else
                {
                    RealMatrix[] change =
                        [.. runs[j + 1].Writers.Zip(runs[j].Writers, (after, before) => RealMatrix.Difference(after.Value, before.Value))];
                    scores.AddProducts(model.Graph, change, runs[j], sign);
                }
            }
            return scores;
        })];
    }
}
