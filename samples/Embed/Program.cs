using System.Globalization;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Drawing;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Kernels.Cpu;

// dotnet run -- MODEL OUT: finds circuits of a checkpoint in the folder MODEL and writes them into the folder OUT.
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
string directory = args.Length > 0 ? args[0] : "../../models/demo";
string folder = args.Length > 1 ? args[1] : "out";
Directory.CreateDirectory(folder);

using var device = new CpuDevice();
using var checkpoint = Gpt2Checkpoint.Open(directory);
using Gpt2Weights model = checkpoint.LoadWeights(device);
BpeTokenizer tokenizer = BpeTokenizer.Load(directory);
Console.WriteLine($"model: {model.Config.Layers} layers, {model.Config.Heads} heads");
Console.WriteLine($"device: {device.Description}");

// Prompt pairs: of a built-in task, of texts, of token ids.
PromptSet task = PromptLoader.Load("ioi", null, tokenizer, new PromptOptions { Limit = 10 });
TextPair[] pairs =
[
    new("The boy", "The boys") { Answers = [" is"], WrongAnswers = [" are"] },
    new("The boys", "The boy") { Answers = [" are"], WrongAnswers = [" is"] },
];
PromptSet texts = PromptSet.OfTexts(pairs, tokenizer);
PromptSet ids = PromptSet.Of([.. texts.Pairs.Select(p => new PromptPair(p.Clean, p.Corrupted, p.Answers, p.WrongAnswers))]);
Console.WriteLine($"pairs: {task.Pairs.Count} of {task.Task}, {texts.Pairs.Count} of texts, {ids.Pairs.Count} of ids");

// Scores of every edge, and their file.
var options = new AttributionOptions { Method = AttributionMethods.EapGp, Steps = 5 };
EdgeScores scores = EdgeAttribution.Score(model, task, options);
scores.Save(Path.Combine(folder, "scores.safetensors"));
scores.Save(Path.Combine(folder, "scores.json"));
foreach (ScoredEdge edge in scores.Strongest(3))
    Console.WriteLine($"edge: {scores.Graph.EdgeName(edge.Row, edge.Column)} {scores[edge.Row, edge.Column]:F4}");
Console.WriteLine($"matrix: {string.Join(" x ", scores.Matrix.Lengths.ToArray())}");

// The same pairs are the same run, wherever they came from.
EdgeScores ofTexts = EdgeAttribution.Score(model, texts, options), ofIds = EdgeAttribution.Score(model, ids, options);
Console.WriteLine($"texts and ids: {(ofTexts.Values.SequenceEqual(ofIds.Values) ? "the same scores" : "other scores")}");

// A circuit: selected, pruned, kept, evaluated.
Circuit circuit = CircuitPruning.Prune(CircuitSelection.TopEdges(scores, 200));
circuit.Save(Path.Combine(folder, "circuit.json"));
EvaluationResult result = CircuitEvaluation.Evaluate(model, task, [circuit], new EvaluationOptions());
Console.WriteLine($"circuit: {circuit}, faithfulness {Faithfulness.Of(result.Full, result.Circuits[0], result.Empty):F4}");

// A drawing: .svg, .dot, or a page to explore the circuit in.
CircuitDrawing.Save(Path.Combine(folder, "circuit.svg"), circuit);
CircuitDrawing.Save(Path.Combine(folder, "circuit.html"), circuit);

// A search, told how far it is.
var progress = new LastStage();
AcdcResult found = CircuitSearches.Acdc.Search(model, ids, new AcdcOptions { Threshold = 0.001 }, progress);
found.Circuit.Save(Path.Combine(folder, "acdc.json"));
Console.WriteLine($"acdc: {found.Circuit}; {progress.Last.Done} of {progress.Last.Total} done");

// A metric of the program's own.
MetricTraits traits = new() { NeedsAnswers = true, NeedsWrongAnswers = true };
Metric margin = Metric.Of("margin", traits, (logits, clean, pair, gradient) =>
{
    (int right, int wrong) = (pair.Answers[0], pair.WrongAnswers[0]);
    if (!gradient.IsEmpty) (gradient[right], gradient[wrong]) = (1, -1);
    return logits[right] - logits[wrong];
});
EdgeScores own = EdgeAttribution.Score(model, ids, options with { Metric = margin });
Console.WriteLine($"own metric: strongest edge {scores.Graph.EdgeName(own.Strongest(1)[0].Row, own.Strongest(1)[0].Column)}");

// Weights that the program has in memory: a model of one layer and one head, of numbers that a real program would have learned.
var small = new Gpt2Config { Layers = 1, Heads = 1, Width = 4, InnerWidth = 8, Positions = 5, Vocabulary = 7 };
(string Name, int Length)[] tensors =
[
    ("wte.weight", 7 * 4), ("wpe.weight", 5 * 4), ("h.0.ln_1.weight", 4), ("h.0.ln_1.bias", 4), ("h.0.attn.c_attn.weight", 4 * 12),
    ("h.0.attn.c_attn.bias", 12), ("h.0.attn.c_proj.weight", 4 * 4), ("h.0.attn.c_proj.bias", 4), ("h.0.ln_2.weight", 4),
    ("h.0.ln_2.bias", 4), ("h.0.mlp.c_fc.weight", 4 * 8), ("h.0.mlp.c_fc.bias", 8), ("h.0.mlp.c_proj.weight", 8 * 4),
    ("h.0.mlp.c_proj.bias", 4), ("ln_f.weight", 4), ("ln_f.bias", 4),
];
var random = new Random(1);
Dictionary<string, ReadOnlyMemory<float>> weights = tensors.ToDictionary(
    t => t.Name, t => (ReadOnlyMemory<float>)Enumerable.Range(0, t.Length).Select(_ => random.NextSingle() - 0.5f).ToArray());
using Gpt2Weights inMemory = Gpt2Weights.FromMemory(device, small, weights, "small");
EdgeScores ofSmall = EdgeAttribution.Score(inMemory, PromptSet.Of([new PromptPair([1, 2, 3], [1, 4, 3], [5], [6])]), options);
Console.WriteLine($"own weights: {ofSmall.Graph.EdgeCount} edges of the model {ofSmall.Provenance!.Model}");

// A run that is stopped after its first pass.
using var stop = new CancellationTokenSource();
try
{
    EdgeAttribution.Score(model, task, options with { BatchSize = 1 }, new Stopping(stop), stop.Token);
    Console.WriteLine("the run was not stopped");
    return 1;
}
catch (OperationCanceledException)
{
    Console.WriteLine("stopped: as asked");
}

// What cannot be used is said by name.
try
{
    EdgeAttribution.Score(model, task, options with { Steps = 0 });
    return 1;
}
catch (OptionException error)
{
    Console.WriteLine($"refused: {error.Message}");
}
return 0;

/// <summary>Keeps the last report.</summary>
internal sealed class LastStage : IProgress<RunProgress>
{
    public RunProgress Last { get; private set; }

    public void Report(RunProgress value) => Last = value;
}

/// <summary>Stops a run at its first report.</summary>
internal sealed class Stopping(CancellationTokenSource source) : IProgress<RunProgress>
{
    public void Report(RunProgress value) => source.Cancel();
}
