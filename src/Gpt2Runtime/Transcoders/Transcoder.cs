using System.Numerics.Tensors;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;
using Tensor = Gradpath.Kernels.Tensor;

namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>
/// A transcoder of one layer: features that are read off what the MLP reads and written where it writes,
///
///     pre = W_enc x + b_enc;   a = activation(pre);   output = W_dec^T a + b_dec (+ W_skip x)
///
/// Its matrices stay in their file. The encoder is read piece by piece, and of both matrices the rows of active features alone are kept.
/// </summary>
internal sealed class Transcoder : IDisposable
{
    // Floats of an encoder's piece on the device.
    private const int Piece = 1 << 21;

    private static readonly string[] s_thresholds = ["activation_function.threshold", "threshold", "thresholds"];

    private readonly SafetensorsFile _file;
    private readonly SafetensorsEntry _encoder;
    private readonly SafetensorsEntry _decoder;
    private readonly float[]? _thresholds;

    private Transcoder(TranscoderSpec spec, SafetensorsFile file, int width)
    {
        (Spec, _file, Width) = (spec, file, width);
        _encoder = Matrix("W_enc");
        Features = Extent(_encoder, spec.ByInput ? 1 : 0);
        Require(_encoder, spec.ByInput ? [Width, Features] : [Features, Width]);
        _decoder = Matrix("W_dec");
        Require(_decoder, [Features, Width]);
        EncoderBias = Vector("b_enc", Features);
        DecoderBias = Vector("b_dec", Width);
        if (s_thresholds.FirstOrDefault(file.Entries.ContainsKey) is { } name) _thresholds = Vector(name, Features);
        if (file.Entries.ContainsKey("W_skip"))
        {
            Require(Matrix("W_skip"), [Width, Width]);
            Skip = Vector("W_skip", Width * Width);
        }
        Activation = spec.Activation ?? (_thresholds is null ? TranscoderActivation.Relu : TranscoderActivation.JumpRelu);
        if (Activation == TranscoderActivation.JumpRelu && _thresholds is null)
            throw new GradpathException($"{file.Path}: jump-relu needs a tensor of thresholds, but the file holds none");
        if (Activation == TranscoderActivation.TopK && (spec.K < 1 || spec.K > Features))
            throw new GradpathException($"{file.Path}: top-k of {spec.K}; a number from 1 to the {Features} features is needed");
    }

    /// <summary>The file and what is said of it.</summary>
    public TranscoderSpec Spec { get; }

    /// <summary>D.</summary>
    public int Width { get; }

    /// <summary>Number of features.</summary>
    public int Features { get; }

    /// <summary>Which features are active.</summary>
    public TranscoderActivation Activation { get; }

    /// <summary>b_enc [features].</summary>
    public float[] EncoderBias { get; }

    /// <summary>b_dec [D].</summary>
    public float[] DecoderBias { get; }

    /// <summary>W_skip [D out, D in], or null.</summary>
    public float[]? Skip { get; }

    /// <summary>Opens a transcoder and checks its shapes.</summary>
    /// <param name="spec">The file and what is said of it.</param>
    /// <param name="width">D of the model.</param>
    /// <returns>The transcoder; dispose of it to close the file.</returns>
    /// <exception cref="GradpathException">The file cannot be read, or is no transcoder of such a model.</exception>
    public static Transcoder Open(TranscoderSpec spec, int width)
    {
        SafetensorsFile file = SafetensorsFile.Open(spec.Path);
        try
        {
            return new Transcoder(spec, file, width);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The active features of some positions.</summary>
    /// <param name="device">The device that multiplies.</param>
    /// <param name="input">[rows, D]: what the transcoder reads.</param>
    /// <param name="rows">Number of positions.</param>
    /// <param name="cancellation">Asked between pieces.</param>
    /// <returns>They, by position and then by feature.</returns>
    /// <exception cref="GradpathException">The file cannot be read any more, or a value is not finite.</exception>
    public List<ActiveFeature> Encode(Device device, Tensor input, int rows, CancellationToken cancellation = default)
    {
        float[] pre = new float[checked(rows * Features)];
        int most = Math.Clamp(Piece / Width, 1, Features);
        float[] weights = new float[most * Width], values = new float[rows * most];
        using Tensor piece = device.Allocate(most, Width);
        using Tensor products = device.Allocate(rows, most);
        for (int first = 0; first < Features; first += most)
        {
            cancellation.ThrowIfCancellationRequested();
            int count = Math.Min(most, Features - first);
            ReadEncoder(first, count, weights);
            using (Tensor part = piece.Slice(0, count, Width)) part.Upload(weights.AsSpan(0, count * Width));
            device.Gemm(input.AsMatrix(rows, Width), piece.AsMatrix(count, Width).T, products.AsMatrix(rows, count));
            using (Tensor part = products.Slice(0, rows, count)) part.Download(values.AsSpan(0, rows * count));
            for (int r = 0; r < rows; r++)
            {
                TensorPrimitives.Add(
                    values.AsSpan(r * count, count), EncoderBias.AsSpan(first, count), pre.AsSpan((r * Features) + first, count));
            }
        }
        if (TensorPrimitives.IndexOfMaxMagnitude<float>(pre) is var at && !float.IsFinite(pre[at]))
            throw new GradpathException($"{_file.Path}: feature {at % Features} is not a finite number on this prompt");
        List<ActiveFeature> active = [];
        for (int r = 0; r < rows; r++) Activate(pre.AsSpan(r * Features, Features), r, active);
        return active;
    }

    /// <summary>Encoder rows of some features.</summary>
    /// <param name="features">Features, ascending.</param>
    /// <returns>[features, D].</returns>
    /// <exception cref="GradpathException">The file cannot be read any more.</exception>
    public float[] EncoderRows(IReadOnlyList<int> features)
    {
        if (!Spec.ByInput) return Rows(_encoder, features);
        float[] rows = new float[features.Count * Width];
        int most = Math.Clamp(Piece / Width, 1, Features);
        float[] weights = new float[most * Width];
        for (int i = 0; i < features.Count;)
        {
            int first = features[i] / most * most, count = Math.Min(most, Features - first);
            ReadEncoder(first, count, weights);
            for (; i < features.Count && features[i] < first + count; i++)
                weights.AsSpan((features[i] - first) * Width, Width).CopyTo(rows.AsSpan(i * Width));
        }
        return rows;
    }

    /// <summary>Decoder rows of some features.</summary>
    /// <param name="features">Features.</param>
    /// <returns>[features, D].</returns>
    /// <exception cref="GradpathException">The file cannot be read any more.</exception>
    public float[] DecoderRows(IReadOnlyList<int> features) => Rows(_decoder, features);

    /// <inheritdoc />
    public void Dispose() => _file.Dispose();

    private void Activate(ReadOnlySpan<float> pre, int row, List<ActiveFeature> active)
    {
        float least = Activation == TranscoderActivation.TopK ? Largest(pre, Spec.K) : 0;

        // Of equal values the first ones are among the k largest.
        int left = Spec.K;
        if (Activation == TranscoderActivation.TopK)
        {
            foreach (float value in pre)
            {
                if (value > least) left--;
            }
        }
        for (int f = 0; f < pre.Length; f++)
        {
            bool on = Activation switch
            {
                TranscoderActivation.Relu => pre[f] > 0,
                TranscoderActivation.JumpRelu => pre[f] > _thresholds![f],
                _ => (pre[f] > least || (pre[f] == least && left-- > 0)) && (Spec.KeepsNegative || pre[f] > 0),
            };
            if (on && pre[f] != 0) active.Add(new ActiveFeature(Spec.Layer, row, f, pre[f]));
        }
    }

    private static float Largest(ReadOnlySpan<float> values, int k)
    {
        float[] sorted = values.ToArray();
        Array.Sort(sorted);
        return sorted[^k];
    }

    // Rows first .. first + count of the encoder as [count, D].
    private void ReadEncoder(int first, int count, float[] target)
    {
        TensorReader reader = new(_file, _encoder);
        if (!Spec.ByInput)
        {
            Read(reader, (long)first * Width, target.AsSpan(0, count * Width));
            return;
        }
        float[] line = new float[count];
        for (int d = 0; d < Width; d++)
        {
            Read(reader, ((long)d * Features) + first, line);
            for (int f = 0; f < count; f++) target[(f * Width) + d] = line[f];
        }
    }

    private float[] Rows(SafetensorsEntry entry, IReadOnlyList<int> features)
    {
        TensorReader reader = new(_file, entry);
        float[] rows = new float[checked(features.Count * Width)];
        for (int i = 0; i < features.Count; i++) Read(reader, (long)features[i] * Width, rows.AsSpan(i * Width, Width));
        if (rows.Length > 0 && TensorPrimitives.IndexOfMaxMagnitude<float>(rows) is var at && !float.IsFinite(rows[at]))
            throw new GradpathException($"{_file.Path}: {entry.Name} of feature {features[at / Width]} is not finite");
        return rows;
    }

    private static void Read(TensorReader reader, long from, Span<float> target)
    {
        for (; target.Length > TensorReader.Piece; from += TensorReader.Piece, target = target[TensorReader.Piece..])
            reader.Read(from, target[..TensorReader.Piece]);
        reader.Read(from, target);
    }

    private SafetensorsEntry Matrix(string name)
    {
        SafetensorsEntry entry = _file.Require(name);
        FloatConversion.RequireSupported(_file.Path, entry);
        return entry;
    }

    private int Extent(SafetensorsEntry entry, int axis) => entry.Shape.Length == 2 && entry.Shape[axis] is > 0 and <= 1 << 24
        ? (int)entry.Shape[axis]
        : throw new GradpathException($"{_file.Path}: {entry.Name} has the shape {entry.ShapeText}; a matrix is needed");

    private void Require(SafetensorsEntry entry, int[] shape)
    {
        if (entry.Shape.SequenceEqual(shape.Select(e => (long)e))) return;
        throw new GradpathException($"{_file.Path}: {entry.Name} has the shape {entry.ShapeText}; [{string.Join(", ", shape)}] is needed: "
            + $"the model has the width {Width}");
    }

    private float[] Vector(string name, int length)
    {
        float[] values = _file.ReadFloats(name);
        if (values.Length != length)
            throw new GradpathException($"{_file.Path}: {name} has {values.Length} elements; {length} are needed");
        if (TensorPrimitives.IndexOfMaxMagnitude<float>(values) is var at && !float.IsFinite(values[at]))
            throw new GradpathException($"{_file.Path}: {name} holds a value that is not finite");
        return values;
    }
}
