using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Bench;

/// <summary>
/// Floating-point operations of the products that a work needs, in the form in which they are made: positions before the first difference
/// of a pair run once, the last layer makes queries and MLPs for the answer position only, a path moves all positions.
/// </summary>
/// <param name="Config">The model's shape.</param>
/// <param name="Pairs">Number of pairs.</param>
/// <param name="Tokens">Tokens of each prompt.</param>
/// <param name="Shared">Tokens before the first difference of a pair.</param>
internal sealed record WorkFlops(Gpt2Config Config, int Pairs, int Tokens, int Shared)
{
    private double D => Config.Width;

    private double KeysValues => 2 * D * 2 * D;

    private double Attention => 2.0 * 2 * Tokens * D;

    private double QuerySide => (2 * D * 2 * D) + Attention + Mlp;

    private double Mlp => 2.0 * 2 * D * Config.InnerWidth;

    /// <summary>A scoring method with the logit difference.</summary>
    /// <param name="options">Method and settings: eap, eap-ig, clean-corrupted or eap-gp.</param>
    public double Method(AttributionOptions options)
    {
        bool path = options.Method == AttributionMethod.EapGp;
        int shared = path || options.WholePrompts ? 0 : Shared;
        double rows = (double)Pairs * (Tokens - shared), answers = path ? rows : Pairs;
        double forward = Forward(rows, answers);

        // Backward: the same products, and the attention's twice.
        double backward = forward + ((Config.Layers - 1) * rows * Attention);
        int k = options.Steps;
        (double forwards, double backwards) = options.Method switch
        {
            AttributionMethod.Eap => (2, 1),
            AttributionMethod.CleanCorrupted => (2, 2),
            AttributionMethod.EapGp => (2 + k, 2 * k),
            AttributionMethod.EapIg => (options.IgPoints == IgPoints.Midpoint ? k + 2 : k + 1, k),
            _ => throw new ArgumentException($"the flops of {options.Method} are not known", nameof(options)),
        };
        double spread = Config.Layers * rows * 2 * D * D;
        double readers = Config.Layers * rows * 2 * 3 * D * D;
        double distance = path ? k * rows * 2 * D * D : 0;
        return Prefix(shared) + (forwards * forward) + (backwards * backward) + spread + readers + Contraction(rows) + distance;
    }

    /// <summary>The evaluation of a circuit: both prompts, the circuit's own nodes, and the vocabulary for the KL divergence.</summary>
    /// <param name="circuit">The circuit, pruned.</param>
    public double Evaluation(Circuit circuit)
    {
        double rows = (double)Pairs * (Tokens - Shared), nodes = 0, headWidth = (double)Config.Width / Config.Heads;
        ComputationGraph graph = circuit.Graph;
        ReadOnlySpan<bool> edges = circuit.Membership;
        for (int column = 0; column < graph.LogitsColumn; column++)
        {
            bool reads = false;
            for (int row = 0; row < graph.WritersBefore(column) && !reads; row++) reads = edges[(row * graph.Readers) + column];
            if (!reads) continue;
            double product = 2 * rows * D * headWidth;
            nodes += graph.MlpColumn(column / ((3 * graph.Heads) + 1)) == column ? rows * Mlp : product;
        }
        for (int row = 1; row < graph.Writers; row++)
        {
            bool head = (row - 1) % (graph.Heads + 1) != graph.Heads;
            bool feeds = false;
            for (int column = 0; column < graph.Readers && !feeds; column++) feeds = edges[(row * graph.Readers) + column];
            if (head && feeds) nodes += rows * ((2 * headWidth * D) + (Attention / graph.Heads));
        }

        // The full model, the empty circuit and this one.
        const int Distributions = 3;
        return Prefix(Shared) + (2 * Forward(rows, rows)) + nodes + (Distributions * 2.0 * Pairs * D * Config.Vocabulary);
    }

    /// <summary>Exact patching of the edges into some sublayers: behind its reader, each edge runs the rest of the model anew.</summary>
    /// <param name="graph">The model's graph.</param>
    /// <param name="sublayers">Which sublayers, or null for all and the nodes as well.</param>
    public double Exact(ComputationGraph graph, Func<int, bool>? sublayers)
    {
        double rows = (double)Pairs * (Tokens - Shared), headWidth = (double)Config.Width / Config.Heads;
        double one = rows * ((2 * D * headWidth * 2) + (Attention / Config.Heads));
        double total = Prefix(Shared) + (2 * Forward(rows, rows)), behind = 0;
        for (int sublayer = 2 * Config.Layers; sublayer >= 0; sublayer--)
        {
            bool logits = sublayer == 2 * Config.Layers, attention = sublayer % 2 == 0 && !logits;
            int readers = attention ? 3 * Config.Heads : 1;
            double own = logits ? 0 : attention ? one : rows * Mlp;
            int writers = graph.WritersBeforeSublayer(sublayer);
            if (sublayers?.Invoke(sublayer) != false) total += (double)readers * writers * (own + behind);
            if (!logits) behind += rows * (attention ? KeysValues + QuerySide - Mlp : Mlp);
            int nodes = sublayer == 0 ? 1 : writers - graph.WritersBeforeSublayer(sublayer - 1);
            if (sublayers is null) total += nodes * behind;
        }
        return total;
    }

    private double Forward(double rows, double answers) =>
        ((Config.Layers - 1) * rows * (KeysValues + QuerySide)) + (rows * KeysValues) + (answers * QuerySide);

    // Keys and values of the last layer are all that is wanted.
    private double Prefix(int shared) => shared * (double)Pairs * (((Config.Layers - 1) * (KeysValues + QuerySide)) + KeysValues);

    private double Contraction(double rows)
    {
        double contraction = 0;
        for (int l = 0; l < Config.Layers; l++)
        {
            double feeding = 1 + (l * (Config.Heads + 1));
            contraction += 2 * rows * D * ((3 * Config.Heads * feeding) + feeding + Config.Heads);
        }
        return contraction;
    }
}
