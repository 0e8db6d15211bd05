using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Transcoders;
using Gradpath.Kernels.Cpu;
using Tensor = Gradpath.Kernels.Tensor;

namespace Gradpath.Gpt2Runtime.Tests.Transcoders;

/// <summary>Training of transcoders: its gradient, that it gets better, and that a stopped one goes on to the same bits.</summary>
public sealed class TranscoderTrainerTests : IDisposable
{
    private static readonly Gpt2Config s_config = new()
    {
        Layers = 2,
        Heads = 2,
        Width = 8,
        InnerWidth = 16,
        Positions = 12,
        Vocabulary = 15,
    };

    private readonly CpuDevice _device = new(1);
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        _device.Dispose();
        _folder.Dispose();
    }

    /// <summary>The first moment of AdamW's first step is a tenth of the gradient.</summary>
    [Fact]
    public void A_step_goes_along_the_gradient_of_the_mean_squared_error()
    {
        const int Rows = 7, Width = 5, Features = 9, K = 3;
        TranscoderTrainingOptions options = new() { Layers = [0], Features = Features, K = K };
        using TranscoderTraining.Scratch scratch = new(_device, Rows, Features, Width);
        using TranscoderTraining training = new(_device, Width, options, scratch);
        training.Draw(new SplitMix64(3));
        float[] x = Draw(1, Rows * Width), y = Draw(2, Rows * Width);
        using Tensor inputs = _device.StoreTensor(x, Rows, Width);
        using Tensor outputs = _device.StoreTensor(y, Rows, Width);

        // A step of length 0 sets scale and b_dec; then the gradient at a known point.
        training.Step(inputs, outputs, Rows, 0, 0);
        double scale = training.Scale;
        Assert.Equal(Math.Sqrt(y.Average(v => v * (double)v)), scale, 1e-6);
        double[] at = [.. training.State[0].ToArray().Select(v => (double)v)];
        float[] moment = training.State[1].ToArray();
        Assert.Equal(Loss(at) * scale * scale, training.Error(Rows) * scale * scale, 1e-5);
        for (int p = 0; p < at.Length; p++)
        {
            double kept = at[p];
            at[p] = kept + 1e-5;
            double above = Loss(at);
            at[p] = kept - 1e-5;
            double gradient = (above - Loss(at)) / 2e-5;
            at[p] = kept;
            Assert.True(Math.Abs((0.1 * gradient) - moment[p]) < 3e-6, $"{p}: {gradient} {moment[p]}");
        }


        double Loss(double[] w)
        {
            double sum = 0;
            for (int r = 0; r < Rows; r++)
            {
                double[] pre = [.. Enumerable.Range(0, Features).Select(f => w[(2 * Features * Width) + f]
                    + Enumerable.Range(0, Width).Sum(d => w[(f * Width) + d] * x[(r * Width) + d]))];
                int[] on = [.. Enumerable.Range(0, Features).OrderByDescending(f => pre[f]).Take(K)];
                for (int d = 0; d < Width; d++)
                {
                    double made = w[^(Width - d)] + on.Sum(f => pre[f] * w[(Features * Width) + (f * Width) + d]);
                    sum += Math.Pow(made - (y[(r * Width) + d] / scale), 2);
                }
            }
            return sum / (Rows * Width);
        }
    }

    [Fact]
    public void A_run_that_was_stopped_goes_on_to_the_same_bits_and_to_a_good_fit()
    {
        using Gpt2Weights weights = RandomGpt2Weights.Create(s_config, 1, _device, scale: 0.4f);
        int[][] sequences = Sequences();
        string state = _folder["state.safetensors"];
        using TranscoderTrainer whole = new(weights, sequences, Options(), Run());
        double before = whole.Judge(CancellationToken.None)[0].UnexplainedVariance;
        whole.Train(state, _ => { }, null, CancellationToken.None);
        IReadOnlyList<TranscoderFit> fits = whole.Judge(CancellationToken.None);
        Assert.All(fits, f => Assert.True(f.UnexplainedVariance < 0.35, $"{f}"));
        Assert.True(before > 0.9, $"{before}");
        whole.Write(0, _folder["whole.safetensors"]);

        using (TranscoderTrainer first = new(weights, sequences, Options(), Run()))
        {
            using CancellationTokenSource stop = new();
            Stopper stopper = new(stop, 57);
            Assert.Throws<OperationCanceledException>(() => first.Train(state, _ => { }, stopper, stop.Token));
            Assert.Equal(57, first.Done);
        }
        using TranscoderTrainer second = new(weights, sequences, Options(), Run());
        second.Resume(state);
        Assert.Equal(57, second.Done);
        second.Train(state, _ => { }, null, CancellationToken.None);
        second.Write(0, _folder["two.safetensors"]);
        Assert.Equal(File.ReadAllBytes(_folder["whole.safetensors"]), File.ReadAllBytes(_folder["two.safetensors"]));

        JsonObject other = Run();
        other["--steps"] = 7;
        using TranscoderTrainer foreign = new(weights, sequences, Options(), other);
        Assert.Contains("--steps was 300 there and is 7 now",
            Assert.Throws<GradpathException>(() => foreign.Resume(state)).Message, StringComparison.Ordinal);
        File.WriteAllBytes(state, File.ReadAllBytes(_folder["two.safetensors"]));
        Assert.Contains("delete it to start over", Assert.Throws<GradpathException>(() => second.Resume(state)).Message,
            StringComparison.Ordinal);
    }

    private static TranscoderTrainingOptions Options() => new()
    {
        Layers = [0, 1],
        Features = 32,
        K = 6,
        Steps = 300,
        StepPositions = 64,
        LearningRate = 1e-2,
    };

    private static JsonObject Run() => new() { ["--steps"] = 300 };

    private static int[][] Sequences()
    {
        Random random = new(5);
        return [.. Enumerable.Range(0, 60).Select(_ => Enumerable.Range(0, 4 + random.Next(8)).Select(_ => random.Next(15)).ToArray())];
    }

    private static float[] Draw(int seed, int count)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];
    }

    private sealed class Stopper(CancellationTokenSource stop, int at) : IProgress<RunProgress>
    {
        public void Report(RunProgress value)
        {
            if (value.Done == at - 1) stop.Cancel();
        }
    }
}
