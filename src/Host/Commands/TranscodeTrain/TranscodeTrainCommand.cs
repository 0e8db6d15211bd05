using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Gpt2Runtime.Transcoders;
using Gradpath.Host.Options;
using Gradpath.Host.Reports;
using Gradpath.Host.Sessions;
using Gradpath.Kernels;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath transcode train</c>: a model and texts in, a folder of transcoders out.</summary>
internal static class TranscodeTrainCommand
{
    /// <summary>What a stopped run leaves in the folder.</summary>
    public const string StateFile = "training.safetensors";

    private const int PairsOfTask = 500;

    /// <summary>The file of a layer's transcoder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="layer">The layer.</param>
    public static string FileOf(string folder, int layer) =>
        Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"layer_{layer}.safetensors"));

    public static CommandReport Run(TranscodeTrainOptions o, Terminal terminal, CancellationToken cancellation)
    {
        o.Check();
        StageClock clock = new(terminal);
        clock.Start("load");
        using Device device = ComputeDevice.Open(o, terminal);
        RunDetails.Device(terminal, device);
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(ModelLocator.Resolve(o.Model));
        Gpt2Config config = checkpoint.Config;
        int[] layers = o.LayerList ?? [.. Enumerable.Range(0, config.Layers)];
        if (layers[^1] >= config.Layers)
            throw new UsageException($"--layer {o.Layer}: the model has the layers 0 to {config.Layers - 1}.");
        BpeTokenizer tokenizer = BpeTokenizer.Load(checkpoint.Directory);
        TokenizerNotes.Warn(terminal, tokenizer.Warnings);
        clock.Start("tokenise");
        List<int[]> sequences = o.Data is null
            ? Generated(o, checkpoint, terminal, cancellation)
            : Lines(o, tokenizer, config, cancellation);
        clock.Start("load");
        using Gpt2Weights weights = ModelLoading.Load(o.Model, checkpoint, device, terminal, cancellation);
        RunDetails.Model(terminal, checkpoint, weights);
        CreateFolder(o.Out);
        string state = Path.Combine(o.Out, StateFile);
        using FileLock held = FileLock.TryTake(state + ".lock") ?? throw new GradpathException(
            $"{o.Out} is being written by another run: wait until it is done, or name another --out.");
        if (File.Exists(state) != o.Resume)
        {
            throw new GradpathException(o.Resume
                ? $"there is nothing to go on from: no file {state}. Leave --resume out to start."
                : $"{state} holds the work of an earlier run: add --resume to go on from it, or delete it to start over.");
        }
        JsonObject made = Made(o, weights, layers, sequences);
        TranscoderTrainingOptions options = new()
        {
            Layers = layers,
            Features = o.Features,
            K = o.Active,
            Steps = o.Steps,
            StepPositions = o.StepTokens,
            LearningRate = o.LearningRate,
            Seed = (ulong)o.Seed,
        };
        using TranscoderTrainer trainer = new(weights, sequences, options, made);
        if (o.Resume) trainer.Resume(state);
        clock.Start("train");
        IReadOnlyList<TranscoderFit> fits = Saved(trainer, o, state, terminal, () =>
        {
            ScoringProgress.Run(terminal, "transcoders", progress =>
            {
                trainer.Train(state, text => terminal.Warn(text), progress, cancellation);
                return true;
            });
            clock.Start("judge");
            return trainer.Judge(cancellation);
        });
        clock.Start("write");
        for (int i = 0; i < layers.Length; i++) trainer.Write(i, FileOf(o.Out, layers[i]));
        string described = Path.Combine(o.Out, TranscoderFolder.ConfigFile);
        AtomicFile.Write(described, Description(o, weights, made, fits));
        File.Delete(state);
        clock.Stop();
        return Report(o, layers, sequences, fits, trainer, clock, device, made);
    }

    private static T Saved<T>(TranscoderTrainer trainer, TranscodeTrainOptions o, string state, Terminal terminal, Func<T> work)
    {
        terminal.HasWorkToSave = true;
        try
        {
            return work();
        }
        catch (OperationCanceledException e) when (trainer.Done > 0)
        {
            // Stopped while it was judged, what was trained is kept all the same.
            if (trainer.Done == o.Steps) trainer.Save(state);
            string done = $"{Sizes.Count(trainer.Done)} of {Sizes.Of(o.Steps, "step")}";
            throw new StoppedException($" after {done}, kept in {state}; the same command with --resume goes on from there.", e);
        }
        finally
        {
            terminal.HasWorkToSave = false;
        }
    }

    private static CommandReport Report(
        TranscodeTrainOptions o, int[] layers, List<int[]> sequences, IReadOnlyList<TranscoderFit> fits, TranscoderTrainer trainer,
        StageClock clock, Device device, JsonObject made)
    {
        CommandReport report = new() { Provenance = Stated(made).ToJson() };
        int tokens = sequences.Sum(s => s.Length);
        report.Line(
            $"{Sizes.Of(sequences.Count, "text")} of {Sizes.Of(tokens, "token")}, {Sizes.Of(o.Steps, "step")}, "
            + $"{Sizes.Of(o.Features, "feature")} a layer, {Sizes.Count(o.Active)} active",
            ("texts", sequences.Count), ("tokens", tokens), ("steps", o.Steps), ("features", o.Features));
        report.Table(ReportTable.Of("layers", fits)
            .Count("layer", "layer", f => f.Layer)
            .Ratio("unexplained", "fvu", f => f.UnexplainedVariance)
            .Number("active a position", "l0", f => f.L0)
            .Count("never active", "dead", f => f.Dead));
        report.Line(
            $"unexplained: squared error over variance, on {Sizes.Of(fits[0].Positions, "position")} of "
            + (trainer.Judges ? "texts that were not trained on" : "the texts that were trained on, as there are fewer than ten"),
            ("held_out", trainer.Judges), ("judged_positions", fits[0].Positions));
        report.Line($"device: {device.Description}, at most {Sizes.Bytes(device.PeakBytes)} in use", ("peak_bytes", device.PeakBytes));
        RunFacts.Time(report, clock);
        foreach (int layer in layers) report.File($"layer {layer}", FileOf(o.Out, layer));
        report.File("config", Path.Combine(o.Out, TranscoderFolder.ConfigFile));
        return report;
    }

    private static List<int[]> Generated(
        TranscodeTrainOptions o, Gpt2Checkpoint checkpoint, Terminal terminal, CancellationToken cancellation)
    {
        HashSet<string> seen = new(StringComparer.Ordinal);
        List<int[]> sequences = [];
        foreach (string task in o.TaskList)
        {
            PromptRequest request = new()
            {
                Task = task,
                Limit = o.Limit ?? PairsOfTask,
                Seed = o.Seed,
                SeedsMethod = true,
                ReadsMetric = false,
                NoBos = o.NoBos,
            };
            foreach (PromptPair pair in request.Load(checkpoint, terminal, cancellation).Pairs)
            {
                foreach (int[] ids in (ReadOnlySpan<int[]>)[pair.Clean, pair.Corrupted])
                {
                    if (seen.Add(string.Join(' ', ids))) sequences.Add(ids);
                }
            }
        }
        return sequences;
    }

    private static List<int[]> Lines(
        TranscodeTrainOptions o, BpeTokenizer tokenizer, Gpt2Config config, CancellationToken cancellation)
    {
        string text = Encoding.UTF8.GetString(FileText.ToUtf8(o.Data!, FileBytes.Read(o.Data!)).Span);
        int[] begin = o.NoBos || tokenizer.BeginToken is not { } token ? [] : [token.Id];
        int room = config.Positions - begin.Length;
        if (room < 1) throw new GradpathException($"the model takes {config.Positions} token: no text has room beside the begin token");
        List<int[]> sequences = [];
        int lines = 0;
        foreach (string line in text.Split('\n'))
        {
            cancellation.ThrowIfCancellationRequested();
            if (string.IsNullOrWhiteSpace(line)) continue;
            if (lines++ == o.Limit) break;
            int[] ids = tokenizer.Encode(line.TrimEnd('\r'));
            if (ids.FirstOrDefault(t => t >= config.Vocabulary, -1) is >= 0 and var outside)
                throw new GradpathException($"{o.Data}: has token {outside}, but the model has {config.Vocabulary} tokens");
            foreach (int[] part in ids.Chunk(room)) sequences.Add([.. begin, .. part]);
        }
        return sequences.Count > 0 ? sequences : throw new GradpathException($"--data {o.Data}: holds no text");
    }

    private static void CreateFolder(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GradpathException($"--out {folder}: cannot be made: {AtomicFile.Reason(e)}", e);
        }
    }

    // Everything that decides the result, to the last bit.
    private static JsonObject Made(TranscodeTrainOptions o, Gpt2Weights weights, int[] layers, List<int[]> sequences) => new()
    {
        ["version"] = Provenance.ProgramVersion,
        ["model"] = weights.Name,
        ["model_hash"] = weights.Hash,
        ["data"] = o.Data is null ? string.Join(',', o.TaskList) : Path.GetFileName(o.Data),
        ["data_hash"] = HashOf(sequences),
        ["device"] = weights.Device.Identity,
        ["precision"] = EnumNames.Of(weights.Device.Precision),
        ["gemm"] = EnumNames.Of(weights.Device.Multiplier),
        ["seed"] = o.Seed,
        ["--layer"] = string.Join(',', layers),
        ["--features"] = o.Features,
        ["--active"] = o.Active,
        ["--steps"] = o.Steps,
        ["--step-tokens"] = o.StepTokens,
        ["--learning-rate"] = o.LearningRate,
    };

    // The same as other results state it.
    private static Provenance Stated(JsonObject made) => new()
    {
        Version = (string)made["version"]!,
        Model = (string)made["model"]!,
        ModelHash = (string)made["model_hash"]!,
        Data = (string)made["data"]!,
        DataHash = (string)made["data_hash"]!,
        Device = (string)made["device"]!,
        Precision = (string)made["precision"]!,
        Gemm = (string)made["gemm"]!,
        Seed = (int)made["seed"]!,
        Method = "transcode-train",
        Options = new JsonObject(made.Where(p => p.Key.StartsWith('-'))
            .Select(p => KeyValuePair.Create(p.Key[2..], p.Value?.DeepClone()))),
        Created = DateTime.UtcNow,
    };

    private static string HashOf(List<int[]> sequences)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (int[] sequence in sequences) hash.AppendData(Encoding.ASCII.GetBytes($"{string.Join(' ', sequence)}\n"));
        return "sha256:" + Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    // YAML of which every line is also read by people: texts are quoted as JSON quotes them, which YAML reads.
    private static string Description(TranscodeTrainOptions o, Gpt2Weights weights, JsonObject made, IReadOnlyList<TranscoderFit> fits)
    {
        StringBuilder yaml = new();
        Line("model_name", weights.Name);
        Line("model_kind", "transcoder_set");
        Line("scan", Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(o.Out))));
        Line("feature_input_hook", "ln2.hook_normalized");
        Line("feature_output_hook", "hook_mlp_out");
        Line("activation", "topk");
        yaml.Append(CultureInfo.InvariantCulture, $"k: {o.Active}\n");
        yaml.Append("gradpath:\n");
        foreach ((string key, JsonNode? value) in made)
            yaml.Append(CultureInfo.InvariantCulture, $"  {key.TrimStart('-')}: {value!.ToJsonString()}\n");
        string unexplained = string.Join(", ", fits.Select(f => Sizes.Fixed(f.UnexplainedVariance, "0.0000")));
        yaml.Append(CultureInfo.InvariantCulture, $"  fvu: [{unexplained}]\n");
        return yaml.ToString();

        void Line(string key, string value) =>
            yaml.Append(CultureInfo.InvariantCulture, $"{key}: {JsonValue.Create(value).ToJsonString()}\n");
    }
}
