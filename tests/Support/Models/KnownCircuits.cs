using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Tests.Support.Reference;

namespace Gradpath.Tests.Support.Models;

/// <summary>A model whose circuit is known because its weights were set by hand, with prompts for it.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Model">The weights; <see cref="EngineModels"/> puts them on a device.</param>
/// <param name="Pairs">Prompts of different lengths; their metric is the logit difference.</param>
/// <param name="FullMetric">Logit difference of the model on every clean prompt, in units of <see cref="HandSetModel.LogitScale"/>.</param>
/// <param name="CorruptedMetric">The same on every corrupted prompt.</param>
/// <param name="MetricWithout">The circuit: every edge that matters, with the metric when it alone is corrupted.</param>
internal sealed record KnownCircuit(
    string Name,
    ReferenceModel Model,
    PromptPair[] Pairs,
    double FullMetric,
    double CorruptedMetric,
    IReadOnlyDictionary<string, double> MetricWithout)
{
    /// <summary>
    /// Edges outside the circuit that do something once one of its edges is gone, with the metric when they alone are corrupted. A circuit
    /// without them is as faithful; a complete one has them.
    /// </summary>
    public IReadOnlyDictionary<string, double> Backup { get; init; } = new Dictionary<string, double>();

    /// <summary>The graph in the engine's numbering.</summary>
    public ComputationGraph Graph => new(Model.Config);

    /// <summary>The edges that matter.</summary>
    public IEnumerable<string> EdgeNames => MetricWithout.Keys;

    /// <summary>The circuit.</summary>
    public Circuit Circuit() => Gpt2Runtime.Graph.Circuit.Of(Graph, EdgeNames.Select(Edge));

    /// <summary>Row and column of an edge.</summary>
    public (int Row, int Column) Edge(string name) =>
        Graph.TryParseEdge(name, out int row, out int column) ? (row, column) : throw new ArgumentException(name);

    /// <inheritdoc />
    public override string ToString() => Name;
}

/// <summary>The three models. Attention is sharp to about e^-10, which bounds how far metrics are from the stated numbers.</summary>
internal static class KnownCircuits
{
    private const double Sharp = 20;
    private const int Source = 2;

    public static TheoryData<string> Names => ["induction", "backup", "negative"];

    public static KnownCircuit Make(string name) => name switch
    {
        "induction" => Induction(),
        "backup" => Backup(),
        "negative" => Negative(),
        _ => throw new ArgumentException(name),
    };

    /// <summary>
    /// ... A B ... A gives B. Head a0.h1 notes at each position the token before it; a1.h2 looks from A for the position that has A noted
    /// (its key comes from a0.h1) and predicts the token there. The corrupted prompt has other tokens at all three places and no
    /// repetition.
    /// </summary>
    public static KnownCircuit Induction()
    {
        ReferenceModel model = new HandSetModel()
            .AttendToPrevious(0, 1, Sharp).NotePrevious(0, 1)
            .AttendToWhatFollowed(1, 2, Sharp).Predict(1, 2, 1)
            .Build(11);
        PromptPair[] pairs = Prompts(6, 8, (tokens, length, random) =>
        {
            int first = random.Next(1, length - 3);
            int[] clean = [HandSetModel.Begin, .. tokens[..(length - 1)]];
            int[] corrupted = [.. clean];
            clean[^1] = clean[first];
            corrupted[first] = tokens[8];
            corrupted[first + 1] = tokens[9];
            corrupted[^1] = tokens[10];
            return new PromptPair(clean, corrupted, [clean[first + 1]], [tokens[9]]);
        });
        return new KnownCircuit("induction", model, pairs, 1, 0, new Dictionary<string, double>
        {
            ["input->a0.h1<v>"] = 0,
            ["a0.h1->a1.h2<k>"] = 0,
            ["input->a1.h2<q>"] = 0,
            ["input->a1.h2<v>"] = -1,
            ["a1.h2->logits"] = 0,
        });
    }

    /// <summary>
    /// The answer is the token at position 2. Head a0.h0 copies it and raises a flag; a1.h3 would copy it with half the strength, but looks
    /// away where the flag is set. The corrupted prompt has a filler there, which no head copies. Without its input a0.h0 leaves the
    /// flag down and its backup takes over; without its direct effect on the logits it keeps the flag up and nobody does.
    /// </summary>
    public static KnownCircuit Backup()
    {
        ReferenceModel model = new HandSetModel()
            .AttendTo(0, 0, Source, Sharp).Predict(0, 0, 1).RaiseFlag(0, 0)
            .AttendTo(1, 3, Source, Sharp).DivertIfFlagged(1, 3).Predict(1, 3, 0.5)
            .Build(12);
        PromptPair[] pairs = Prompts(5, 8, (tokens, length, _) =>
        {
            int[] clean = [HandSetModel.Begin, .. tokens[..(length - 1)]];
            int[] corrupted = [.. clean];
            corrupted[Source] = HandSetModel.Filler;
            return new PromptPair(clean, corrupted, [clean[Source]], [tokens[9]]);
        });
        return new KnownCircuit("backup", model, pairs, 1, 0, new Dictionary<string, double>
        {
            ["input->a0.h0<v>"] = 0.5,
            ["a0.h0->logits"] = 0,
        })
        {
            Backup = new Dictionary<string, double>
            {
                ["a0.h0->a1.h3<q>"] = 1.5,
                ["input->a1.h3<v>"] = 1,
                ["a1.h3->logits"] = 1,
            },
        };
    }

    /// <summary>
    /// The answer is the token at position 2. Head a0.h2 copies it; a1.h1 looks from the end for the place of the token that is predicted
    /// so far and predicts against it with 0.4 of the strength. The corrupted prompt has another token there.
    /// </summary>
    public static KnownCircuit Negative()
    {
        const double against = 0.4;
        ReferenceModel model = new HandSetModel()
            .AttendTo(0, 2, Source, Sharp).Predict(0, 2, 1)
            .AttendToPrediction(1, 1, Sharp).Predict(1, 1, -against)
            .Build(13);
        PromptPair[] pairs = Prompts(5, 8, (tokens, length, _) =>
        {
            int[] clean = [HandSetModel.Begin, .. tokens[..(length - 1)]];
            int[] corrupted = [.. clean];
            corrupted[Source] = tokens[9];
            return new PromptPair(clean, corrupted, [clean[Source]], [tokens[9]]);
        });
        return new KnownCircuit("negative", model, pairs, 1 - against, against - 1, new Dictionary<string, double>
        {
            ["input->a0.h2<v>"] = -1,
            ["a0.h2->logits"] = -1 - against,
            ["a0.h2->a1.h1<q>"] = 1,
            ["input->a1.h1<k>"] = 1,
            ["input->a1.h1<v>"] = 1 + against,
            ["a1.h1->logits"] = 1 + against,
        });
    }

    // Tokens of a prompt are all different, so that nothing matches by accident.
    private static PromptPair[] Prompts(int shortest, int longest, Func<int[], int, Random, PromptPair> make)
    {
        var random = new Random(5);
        return [.. Enumerable.Range(0, 12).Select(i =>
        {
            int[] tokens = [.. Enumerable.Range(1, HandSetModel.Contents)];
            random.Shuffle(tokens);
            return make(tokens, random.Next(shortest, longest + 1), random) with { Id = $"{i + 1}" };
        })];
    }
}
