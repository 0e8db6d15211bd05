using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;
using Tensor = Gradpath.Kernels.Tensor;

namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>
/// Trains transcoders of several layers on one pass of the model a step. Every tenth sequence is set aside for judging, where there are
/// ten. What a stopped training has done lies in a file, and one that goes on from there gives the same bits as one that never stopped.
/// </summary>
internal sealed class TranscoderTrainer : ResourceOwner
{
    /// <summary>One sequence of so many is set aside.</summary>
    public const int SetAside = 10;

    private const string RunKey = "run";
    private const string StepKey = "step";
    private const string ScaleName = "scale";
    private const int FitSequences = 400;

    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };

    private readonly Gpt2Weights _weights;
    private readonly TranscoderTrainingOptions _options;
    private readonly JsonObject _run;
    private readonly List<int[]> _sequences;
    private readonly List<int[]> _judging;
    private readonly int[][] _steps;
    private readonly TracedPrompt _prompt;
    private readonly TranscoderTraining[] _layers;
    private readonly Stopwatch _since = Stopwatch.StartNew();
    private TimeSpan _wait = TimeSpan.FromSeconds(2);
    private int[] _order = [];

    /// <summary>Sets up a training.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="sequences">Token sequences, no longer than the model takes.</param>
    /// <param name="options">Settings.</param>
    /// <param name="run">Everything that decides the result, as flat names and values: what a state file states.</param>
    public TranscoderTrainer(Gpt2Weights weights, IReadOnlyList<int[]> sequences, TranscoderTrainingOptions options, JsonObject run)
    {
        (_weights, _options, _run) = (weights, options, run);
        bool aside = sequences.Count >= SetAside;
        _sequences = [.. sequences.Where((_, i) => !aside || i % SetAside != SetAside - 1)];
        _judging = [.. sequences.Where((_, i) => !aside || i % SetAside == SetAside - 1).Take(FitSequences)];
        int longest = sequences.Max(s => s.Length), rows = Math.Max(longest, options.StepPositions);
        _steps = Batches(_sequences, [.. Enumerable.Range(0, _sequences.Count)], rows);
        _prompt = Own(new TracedPrompt(weights, rows, longest));
        int width = weights.Config.Width;
        TranscoderTraining.Scratch scratch = Own(new TranscoderTraining.Scratch(weights.Device, rows, options.Features, width));
        _layers = [.. options.Layers.Select(_ => Own(new TranscoderTraining(weights.Device, width, options, scratch)))];
        SplitMix64 random = new(options.Seed);
        foreach (TranscoderTraining layer in _layers) layer.Draw(random);
    }

    /// <summary>Steps that are done.</summary>
    public int Done { get; private set; }

    /// <summary>Whether sequences were set aside for judging.</summary>
    public bool Judges => _judging.Count < _sequences.Count;

    /// <summary>Trains to the end.</summary>
    /// <param name="state">Where what is done is kept now and then, and when the work is stopped.</param>
    /// <param name="missed">Told, once, why the state cannot be written at the moment.</param>
    /// <param name="progress">Told how far it is; may be null.</param>
    /// <param name="cancellation">Stops the work between two steps.</param>
    /// <exception cref="OperationCanceledException">The work was stopped; what is done has been kept.</exception>
    public void Train(string state, Action<string> missed, IProgress<RunProgress>? progress, CancellationToken cancellation)
    {
        using RunLease lease = _weights.Device.EnterRun();
        double error = double.NaN;
        bool told = false;
        while (Done < _options.Steps)
        {
            if (cancellation.IsCancellationRequested)
            {
                if (Done > 0) Save(state);
                cancellation.ThrowIfCancellationRequested();
            }
            string stage = double.IsNaN(error) ? "" : string.Create(CultureInfo.InvariantCulture, $"error {error:0.000}");
            progress?.Report(new RunProgress(Done, _options.Steps, stage));
            error = Step(measure: Done % 20 == 0) ?? error;
            if (_since.Elapsed < _wait) continue;
            try
            {
                Stopwatch writing = Stopwatch.StartNew();
                Save(state);

                // No more than a twentieth of the time goes to writing.
                _wait = TimeSpan.FromSeconds(Math.Max(Math.Min(30, _wait.TotalSeconds * 2), writing.Elapsed.TotalSeconds * 20));
            }
            catch (GradpathException e) when (!told)
            {
                told = true;
                missed($"{e.Message}; the run goes on, and what it has done is not saved until this can be written");
            }
            catch (GradpathException)
            {
                // Said before.
            }
            _since.Restart();
        }
    }

    /// <summary>Judges the transcoders.</summary>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>A fit a layer.</returns>
    public IReadOnlyList<TranscoderFit> Judge(CancellationToken cancellation)
    {
        using RunLease lease = _weights.Device.EnterRun();
        int d = _weights.Config.Width;
        double[] errors = new double[_layers.Length], squares = new double[_layers.Length];
        double[][] sums = [.. _layers.Select(_ => new double[d])];
        bool[][] used = [.. _layers.Select(_ => new bool[_options.Features])];
        int positions = 0;
        int[] all = [.. Enumerable.Range(0, _judging.Count)];
        foreach (int[] batch in Batches(_judging, all, _prompt.Activations.Capacity.Rows))
        {
            cancellation.ThrowIfCancellationRequested();
            _prompt.Run([.. batch.Select(i => _judging[i])]);
            positions += _prompt.Rows;
            for (int i = 0; i < _layers.Length; i++)
            {
                int layer = _options.Layers[i];
                float[] made = _layers[i].Apply(_prompt.Read(layer, TranscoderInput.Mlp), _prompt.Rows, used[i]);
                using Tensor part = _prompt.Activations.MlpOutput[layer].Slice(0, made.Length);
                float[] right = part.ToArray();
                for (int j = 0; j < made.Length; j++)
                {
                    double off = made[j] - right[j];
                    errors[i] += off * off;
                    squares[i] += right[j] * (double)right[j];
                    sums[i][j % d] += right[j];
                }
            }
        }
        return [.. _layers.Select((_, i) =>
        {
            double variance = squares[i] - sums[i].Sum(s => s * s / positions);
            return new TranscoderFit(_options.Layers[i], errors[i] / variance, _options.K, used[i].Count(u => !u), positions);
        })];
    }

    /// <summary>Writes the transcoder of a layer.</summary>
    /// <param name="index">Its place among the layers that were trained.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="GradpathException">It cannot be written.</exception>
    public void Write(int index, string path)
    {
        (float[] encoder, float[] decoder, float[] encoderBias, float[] decoderBias) = _layers[index].Weights();
        int d = _weights.Config.Width;
        SafetensorsWriter writer = new();
        writer.Add("W_enc", encoder, _options.Features, d);
        writer.Add("W_dec", decoder, _options.Features, d);
        writer.Add("b_enc", encoderBias, _options.Features);
        writer.Add("b_dec", decoderBias, d);
        writer.Write(path);
    }

    /// <summary>Keeps what is done.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="GradpathException">It cannot be written.</exception>
    public void Save(string path)
    {
        SafetensorsWriter writer = new();
        writer.AddMetadata(RunKey, _run.ToJsonString());
        writer.AddMetadata(StepKey, Done.ToString(CultureInfo.InvariantCulture));
        writer.Add(ScaleName, _layers.Select(l => l.Scale).ToArray().AsMemory(), _layers.Length);
        for (int i = 0; i < _layers.Length; i++)
        {
            for (int j = 0; j < 3; j++) writer.Add($"{_options.Layers[i]}.{j}", _layers[i].State[j]);
        }
        writer.Write(path);
    }

    /// <summary>Goes on from what an earlier run has kept.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="GradpathException">It cannot be read, is damaged, or belongs to another run.</exception>
    public void Resume(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        JsonObject? earlier = null;
        try
        {
            earlier = file.Metadata.TryGetValue(RunKey, out string? text) ? JsonNode.Parse(text, null, s_strict) as JsonObject : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Said below.
        }
        if (earlier is null || !file.Metadata.TryGetValue(StepKey, out string? step)
            || !int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out int done)) throw Damaged(path);
        foreach (string key in earlier.Select(e => e.Key).Union(_run.Select(e => e.Key), StringComparer.Ordinal))
        {
            if (earlier[key]?.ToJsonString() == _run[key]?.ToJsonString()) continue;
            throw new GradpathException($"{path} belongs to another run: {Quoted.Text(key)[1..^1]} was "
                + $"{earlier[key]?.ToJsonString() ?? "not given"} there and is {_run[key]?.ToJsonString() ?? "not given"} now. "
                + "Repeat that run's options to go on, or delete the file to start over.");
        }
        if (done < 1 || done > _options.Steps) throw Damaged(path);
        float[] scales = file.ReadFloats(ScaleName);
        double[] exact = Doubles(file);
        if (scales.Length != _layers.Length) throw Damaged(path);
        int count = TranscoderTraining.Count(_weights.Config.Width, _options.Features);
        for (int i = 0; i < _layers.Length; i++)
        {
            float[][] state = [.. Enumerable.Range(0, 3).Select(j => file.ReadFloats($"{_options.Layers[i]}.{j}"))];
            if (state.Any(s => s.Length != count || !Array.TrueForAll(s, float.IsFinite)) || !(exact[i] > 0)) throw Damaged(path);
            _layers[i].Restore(exact[i], state);
        }
        Done = done;
    }

    private static double[] Doubles(SafetensorsFile file)
    {
        SafetensorsEntry entry = file.Require(ScaleName);
        if (entry.Dtype != "F64") throw Damaged(file.Path);
        double[] values = new double[entry.Count];
        file.Read(entry, 0, System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    private static GradpathException Damaged(string path) => new($"{path}: damaged, or not a file that a training of transcoders has "
        + "left; delete it to start over");

    private double? Step(bool measure)
    {
        int epoch = Done / _steps.Length, at = Done % _steps.Length;
        if (at == 0 || _order.Length == 0)
        {
            _order = [.. Enumerable.Range(0, _steps.Length)];
            new SplitMix64(_options.Seed + 1 + (ulong)epoch).Shuffle<int>(_order);
        }
        _prompt.Run([.. _steps[_order[at]].Select(i => _sequences[i])]);
        double error = 0;
        for (int i = 0; i < _layers.Length; i++)
        {
            int layer = _options.Layers[i];
            Tensor x = _prompt.Read(layer, TranscoderInput.Mlp), y = _prompt.Activations.MlpOutput[layer];
            _layers[i].Step(x, y, _prompt.Rows, _options.RateAt(Done), Done);
            if (measure) error += _layers[i].Error(_prompt.Rows) / _layers.Length;
        }
        Done++;
        if (measure && !double.IsFinite(error))
            throw GradpathException.Worded($"step {Done}: the error is not a finite number; lower {Terms.LearningRate}");
        return measure ? error : null;
    }

    // As many sequences as fit, in an order that mixes them but is always the same.
    private static int[][] Batches(List<int[]> sequences, int[] order, int rows)
    {
        new SplitMix64(0).Shuffle<int>(order);
        List<int[]> batches = [];
        List<int> batch = [];
        int positions = 0;
        foreach (int i in order)
        {
            if (positions + sequences[i].Length > rows)
            {
                batches.Add([.. batch]);
                batch.Clear();
                positions = 0;
            }
            batch.Add(i);
            positions += sequences[i].Length;
        }
        if (batch.Count > 0) batches.Add([.. batch]);
        return [.. batches];
    }
}
