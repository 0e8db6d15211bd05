using System.Numerics.Tensors;
using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;
using static Gradpath.Kernels.KernelConstants;
using Tensor = Gradpath.Kernels.Tensor;

namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>
/// The transcoder of one layer in training. With outputs y in units of their root mean square, a step lowers the mean squared distance of
///
///     W_dec^T topk(W_enc x + b_enc) + b_dec
///
/// from y by AdamW. Which features are among the k largest is a constant for the gradient.
/// </summary>
internal sealed class TranscoderTraining : ResourceOwner
{
    private static readonly AdamWOptions s_adamW = new(0, 0.9, 0.999, 1e-8);

    private readonly Device _device;
    private readonly int _d;
    private readonly int _features;
    private readonly int _k;
    private readonly Tensor _parameters;
    private readonly Tensor _gradient;
    private readonly Tensor _first;
    private readonly Tensor _second;
    private readonly DeviceArray<double> _numbers;
    private readonly Scratch _scratch;
    private readonly double[] _host = new double[MaskNumbers];
    private bool _begun;

    /// <summary>Allocates.</summary>
    /// <param name="device">The device.</param>
    /// <param name="width">D.</param>
    /// <param name="options">Sizes.</param>
    /// <param name="scratch">Shared by all layers.</param>
    public TranscoderTraining(Device device, int width, TranscoderTrainingOptions options, Scratch scratch)
    {
        (_device, _d, _features, _k, _scratch) = (device, width, options.Features, options.K, scratch);
        int count = Count(width, _features);
        _parameters = Own(device.AllocateZeros(count));
        _gradient = Own(device.Allocate(count));
        _first = Own(device.AllocateZeros(count));
        _second = Own(device.AllocateZeros(count));
        _numbers = Own(device.AllocateZeroArray<double>(MaskNumbers));
    }

    /// <summary>The outputs' root mean square on the first step; 0 before.</summary>
    public double Scale { get; private set; }

    /// <summary>Everything that later steps depend on, beside <see cref="Scale"/>: parameters and both moments [3, parameters].</summary>
    public IReadOnlyList<Tensor> State => [_parameters, _first, _second];

    /// <summary>Number of parameters.</summary>
    /// <param name="width">D.</param>
    /// <param name="features">Features.</param>
    public static int Count(int width, int features) => checked((2 * width * features) + features + width);

    /// <summary>Draws the first weights: encoder rows of length 1, decoder rows of a tenth, no biases.</summary>
    /// <param name="random">The draws.</param>
    public void Draw(SplitMix64 random)
    {
        float[] values = new float[Count(_d, _features)];
        foreach ((int start, float length) in (ReadOnlySpan<(int, float)>)[(0, 1f), (_features * _d, 0.1f)])
        {
            for (int f = 0; f < _features; f++)
            {
                Span<float> row = values.AsSpan(start + (f * _d), _d);
                for (int i = 0; i < _d; i++) row[i] = Normal(random);
                TensorPrimitives.Multiply(row, length / TensorPrimitives.Norm<float>(row), row);
            }
        }
        _parameters.Upload(values);
    }

    /// <summary>Takes up an earlier state.</summary>
    /// <param name="scale">The outputs' root mean square.</param>
    /// <param name="state">As <see cref="State"/>.</param>
    public void Restore(double scale, IReadOnlyList<float[]> state)
    {
        (Scale, _begun) = (scale, true);
        for (int i = 0; i < state.Count; i++) State[i].Upload(state[i]);
    }

    /// <summary>A step.</summary>
    /// <param name="x">[rows, D]: what the MLP read.</param>
    /// <param name="y">[rows, D]: what it wrote.</param>
    /// <param name="rows">Number of positions.</param>
    /// <param name="rate">The learning rate.</param>
    /// <param name="step">The step, from 0.</param>
    public void Step(Tensor x, Tensor y, int rows, double rate, int step)
    {
        if (!_begun) Begin(y, rows);
        Forward(x, rows);
        Scratch s = _scratch;
        Matrix acts = s.Pre.AsMatrix(rows, _features), outputs = s.Output.AsMatrix(rows, _d), inputs = x.AsMatrix(rows, _d);
        _device.Combine(1, s.Output, (float)(-1 / Scale), y, (long)rows * _d, s.Output);
        Matrix ones = s.Ones.AsMatrix(1, rows);
        (Matrix encoder, Matrix decoder, Matrix encoderBias, Matrix decoderBias) = Of(_gradient);
        _device.Gemm(acts.T, outputs, decoder);
        _device.Gemm(ones, outputs, decoderBias);
        Matrix hidden = s.Hidden.AsMatrix(rows, _features);
        _device.Gemm(outputs, Of(_parameters).Decoder.T, hidden);
        _device.MultiplyRows(s.Hidden, s.Gate, rows, rows, _features);
        _device.Gemm(hidden.T, inputs, encoder);
        _device.Gemm(ones, hidden, encoderBias);
        _host[MaskRate] = rate;
        _host[MaskCorrection1] = 1 - Math.Pow(s_adamW.Beta1, step + 1);
        _host[MaskCorrection2] = 1 - Math.Pow(s_adamW.Beta2, step + 1);
        _host[MaskScale] = 2.0 / ((long)rows * _d);
        _numbers.Upload(_host);
        _device.AdamWStep(_parameters, _gradient, _first, _second, (int)_parameters.Length, s_adamW, _numbers);
    }

    /// <summary>After a step: the mean squared distance that it began with, in units of the outputs' mean square.</summary>
    /// <param name="rows">Its positions.</param>
    public double Error(int rows)
    {
        using Tensor part = _scratch.Output.Slice(0, rows * _d);
        return TensorPrimitives.SumOfSquares<float>(part.ToArray()) / (double)(rows * _d);
    }

    /// <summary>What the transcoder makes of some positions.</summary>
    /// <param name="x">[rows, D]: what the MLP reads.</param>
    /// <param name="rows">Number of positions.</param>
    /// <param name="used">Per feature whether it was active at any position; added to.</param>
    /// <returns>[rows, D], in the MLP's units.</returns>
    public float[] Apply(Tensor x, int rows, bool[] used)
    {
        float[] acts = Forward(x, rows);
        for (int i = 0; i < rows * _features; i++) used[i % _features] |= acts[i] != 0;
        using Tensor part = _scratch.Output.Slice(0, rows * _d);
        float[] output = part.ToArray();
        TensorPrimitives.Multiply(output, (float)Scale, output);
        return output;
    }

    /// <summary>The trained matrices in the MLP's units.</summary>
    /// <returns>W_enc and W_dec [features, D], b_enc [features], b_dec [D].</returns>
    public (float[] Encoder, float[] Decoder, float[] EncoderBias, float[] DecoderBias) Weights()
    {
        float[] all = _parameters.ToArray();
        int matrix = _features * _d;
        float[] decoder = all[matrix..(2 * matrix)], bias = all[^_d..];
        TensorPrimitives.Multiply(decoder, (float)Scale, decoder);
        TensorPrimitives.Multiply(bias, (float)Scale, bias);
        return (all[..matrix], decoder, all[(2 * matrix)..^_d], bias);
    }

    private (Matrix Encoder, Matrix Decoder, Matrix EncoderBias, Matrix DecoderBias) Of(Tensor all)
    {
        int matrix = _features * _d;
        return (
            new(all, 0, _features, _d, _d), new(all, matrix, _features, _d, _d), new(all, 2L * matrix, 1, _features, _features),
            new(all, (2L * matrix) + _features, 1, _d, _d));
    }

    // b_dec begins as the outputs' mean.
    private void Begin(Tensor y, int rows)
    {
        using Tensor part = y.Slice(0, rows * _d);
        float[] outputs = part.ToArray();
        Scale = Math.Sqrt(Math.Max(TensorPrimitives.SumOfSquares<float>(outputs) / (double)outputs.Length, 1e-30));
        float[] mean = new float[_d];
        for (int r = 0; r < rows; r++) TensorPrimitives.MultiplyAdd(outputs.AsSpan(r * _d, _d), (float)(1 / (Scale * rows)), mean, mean);
        using Tensor bias = _parameters.Slice(_parameters.Length - _d, _d);
        bias.Upload(mean);
        _begun = true;
    }

    // The k largest per position go on; the output is in units of the root mean square.
    private float[] Forward(Tensor x, int rows)
    {
        Scratch s = _scratch;
        (Matrix encoder, Matrix decoder, _, _) = Of(_parameters);
        int length = rows * _features;
        using Tensor encoderBias = _parameters.Slice(2L * _features * _d, _features);
        using Tensor decoderBias = _parameters.Slice(_parameters.Length - _d, _d);
        using Tensor pre = s.Pre.Slice(0, length);
        using Tensor gate = s.Gate.Slice(0, length);
        _device.Gemm(x.AsMatrix(rows, _d), encoder.T, s.Pre.AsMatrix(rows, _features), new GemmOptions(Bias: encoderBias));
        Span<float> acts = s.HostActs.AsSpan(0, length), gates = s.HostGates.AsSpan(0, length);
        pre.Download(acts);
        gates.Clear();
        for (int r = 0; r < rows; r++)
        {
            Span<float> row = acts.Slice(r * _features, _features);
            row.CopyTo(s.Sorted);
            Array.Sort(s.Sorted);
            float least = s.Sorted[^_k];
            int left = _k;
            foreach (float value in row)
            {
                if (value > least) left--;
            }
            for (int f = 0; f < _features; f++)
            {
                if (row[f] > least || (row[f] == least && left-- > 0)) gates[(r * _features) + f] = 1;
                else row[f] = 0;
            }
        }
        pre.Upload(acts);
        gate.Upload(gates);
        _device.Gemm(
            s.Pre.AsMatrix(rows, _features), decoder, s.Output.AsMatrix(rows, _d), new GemmOptions(Bias: decoderBias));
        return s.HostActs;
    }

    // Box and Muller, one of the two.
    private static float Normal(SplitMix64 random) =>
        MathF.Sqrt(-2 * MathF.Log(random.NextUniform())) * MathF.Cos(2 * MathF.PI * random.NextUniform());

    /// <summary>Scratch of a step, for the layers one after the other.</summary>
    internal sealed class Scratch : ResourceOwner
    {
        /// <summary>Allocates.</summary>
        /// <param name="device">The device.</param>
        /// <param name="rows">Most positions.</param>
        /// <param name="features">Features.</param>
        /// <param name="width">D.</param>
        public Scratch(Device device, int rows, int features, int width)
        {
            Pre = Own(device.Allocate(rows, features));
            Gate = Own(device.Allocate(rows, features));
            Hidden = Own(device.Allocate(rows, features));
            Output = Own(device.Allocate(rows, width));
            Ones = Own(device.Allocate(rows));
            device.Fill(Ones, 1, rows);
            HostActs = new float[rows * features];
            HostGates = new float[rows * features];
            Sorted = new float[features];
        }

        /// <summary>[rows, features]: what features read, then what they pass on.</summary>
        public Tensor Pre { get; }

        /// <summary>[rows, features]: 1 where a feature is active.</summary>
        public Tensor Gate { get; }

        /// <summary>[rows, features]: gradients.</summary>
        public Tensor Hidden { get; }

        /// <summary>[rows, D]: the output, then its difference.</summary>
        public Tensor Output { get; }

        /// <summary>[rows]: ones.</summary>
        public Tensor Ones { get; }

        /// <summary>[rows, features] on the host.</summary>
        public float[] HostActs { get; }

        /// <summary>[rows, features] on the host.</summary>
        public float[] HostGates { get; }

        /// <summary>[features] on the host.</summary>
        public float[] Sorted { get; }
    }
}
