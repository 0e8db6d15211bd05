using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Comparison;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Fuzz.Tests;

/// <summary>Progress files: of every search, and of a benchmark. A search goes on from one until its first step.</summary>
internal static class ProgressReaders
{
    private const string Result = "result.json";

    /// <summary>The readers.</summary>
    public static IReadOnlyList<FuzzReader> All { get; } =
    [
        .. CircuitSearches.All.Select(search => new FuzzReader(
            $"progress-{search.Name}", Result + ".progress", folder => Of(search.Name, new Setup(search), folder))),
        new("progress-exact", Result + ".progress", folder => Of("score", new Setup(null), folder)),
        new("progress-benchmark", "table.csv.progress", folder =>
        {
            JsonObject run = Run();
            using (ComparisonFolder open = ComparisonFolder.Open(folder, resume: false))
            {
                open.Begin(Run(), resume: false);
                Dictionary<string, double> values = ComparisonRow.Columns.ToDictionary(c => c, _ => 0.5);
                foreach (double asked in new[] { 0.5, 0.9 })
                {
                    ComparisonRow row = new("eap", asked, new JsonObject { ["steps"] = 5 }, values);
                    open.Add(row, Gpt2Runtime.Graph.CircuitSelection.Greedy(GraphReaders.Sample(), 12), null);
                }
            }
            byte[] sound = File.ReadAllBytes(Path.Combine(folder, "table.csv.progress"));
            return new FuzzTarget([sound], _ =>
            {
                using ComparisonFolder folderOfRun = ComparisonFolder.Open(folder, resume: true);
                folderOfRun.Begin(run, resume: true);
                folderOfRun.Sort([]);
            }) { Seal = Seal };
        }),
    ];

    private static JsonObject Run() => new() { ["the model (its hash)"] = "sha256:0", ["--seed"] = 3, ["--sparsity"] = new JsonArray(0.5) };

    private static FuzzTarget Of(string command, Setup setup, string folder)
    {
        string result = Path.Combine(folder, Result);
        List<byte[]> samples = [];
        for (int step = 1; step <= 3; step++)
        {
            using CancellationTokenSource stop = new();
            ProgressFile file = new(result, command, Run()) { Interval = TimeSpan.Zero };
            int left = step;
            setup.Search(file, new Told(() =>
            {
                if (File.Exists(file.Path) && --left == 0) stop.Cancel();
            }), stop.Token);
            if (File.Exists(file.Path)) samples.Add(File.ReadAllBytes(file.Path));
        }
        return new FuzzTarget([.. samples.DistinctBy(Convert.ToBase64String)], _ =>
        {
            ProgressFile file = new(result, command, Run());
            file.Resume();
            setup.Search(file, new Told(() => throw new OperationCanceledException()), CancellationToken.None);
        }, setup)
        { Seal = Seal };
    }

    // Nothing is done where the damage left no JSON, or no state.
    private static byte[] Seal(byte[] bytes)
    {
        try
        {
            JsonNode? parsed = JsonNode.Parse(bytes, null, new JsonDocumentOptions { AllowDuplicateProperties = false });
            if (parsed is not JsonObject file || file[ProgressFile.StateKey] is not JsonObject state) return bytes;
            file[ProgressFile.HashKey] = ProgressFile.HashOf(state);
            return Encoding.UTF8.GetBytes(file.ToJsonString());
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return bytes;
        }
    }

    private sealed class Told(Action report) : IProgress<RunProgress>
    {
        public void Report(RunProgress value) => report();
    }

    /// <summary>A small model with prompts, on which a search can run, or exact patching where there is none.</summary>
    private sealed class Setup : IDisposable
    {
        private static readonly AttributionOptions s_exact = new() { Method = AttributionMethods.Find("exact"), BatchSize = 1 };

        private readonly CpuDevice _device = new(1);
        private readonly Gpt2Weights _weights;
        private readonly PromptSet _prompts;
        private readonly CircuitSearch? _search;
        private readonly SearchOptions? _options;

        public Setup(CircuitSearch? search)
        {
            Gpt2Config config = new() { Layers = 1, Heads = 2, Width = 4, InnerWidth = 6, Positions = 5, Vocabulary = 7 };
            _weights = RandomGpt2Weights.Create(config, 1, _device, scale: 0.5f, biasJitter: 0.1f);
            _prompts = PromptSet.Of([new([1, 2, 3], [1, 4, 3], [5], [6]), new([2, 2, 1], [2, 5, 1], [1], [2])]);
            _search = search;
            if (search is null) return;
            SearchOptions options = search.Defaults with { Scorer = search.NeedsScorer ? new GivenScores(Scores()) : null };
            _options = options switch
            {
                HybridPruningOptions hybrid => hybrid,
                EdgePruningOptions training => training with { Sparsity = 0.5, Steps = 6, BatchSize = 2 },
                AcdcOptions acdc => acdc with { Candidates = 2 },
                PathTracingOptions paths => paths with { Threshold = null, Top = 3 },
                _ => options,
            };
        }

        public void Search(RunCheckpoint checkpoint, IProgress<RunProgress> progress, CancellationToken cancellation)
        {
            try
            {
                if (_search is not null) _search.Search(_weights, _prompts, _options!, checkpoint, progress, cancellation);
                else EdgeAttribution.Run(_weights, _prompts, s_exact, checkpoint, progress, cancellation);
            }
            catch (OperationCanceledException)
            {
                // Stopped at its first step: the state was taken up.
            }
        }

        public void Dispose()
        {
            _weights.Dispose();
            _device.Dispose();
        }

        private static Gpt2Runtime.Graph.EdgeScores Scores()
        {
            Gpt2Runtime.Graph.ComputationGraph graph = new(1, 2);
            float[] values = new float[graph.Writers * graph.Readers];
            foreach ((int row, int column) in graph.Edges) values[(row * graph.Readers) + column] = 0.1f * (1 + row + column);
            return new Gpt2Runtime.Graph.EdgeScores(graph, values) { ModelWidth = 4 };
        }
    }
}
