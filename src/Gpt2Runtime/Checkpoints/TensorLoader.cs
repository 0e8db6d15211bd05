using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>
/// Brings one tensor of a file to a device as float32, in pieces on several threads, each of which is checked on its way: a model with a
/// weight that is not a finite number is refused before it computes anything.
/// </summary>
internal static class TensorLoader
{
    /// <summary>Loads a tensor.</summary>
    /// <param name="device">The device.</param>
    /// <param name="file">The file.</param>
    /// <param name="entry">The tensor, of a floating-point type.</param>
    /// <param name="shape">Its shape, checked already.</param>
    /// <returns>The tensor.</returns>
    /// <exception cref="GradpathException">The file cannot be read any more, or an element is not a finite number.</exception>
    public static Tensor Load(Device device, SafetensorsFile file, SafetensorsEntry entry, int[] shape) =>
        device.Receive(shape, address => Read(file, entry, address));

    private static void Read(SafetensorsFile file, SafetensorsEntry entry, nint address)
    {
        int pieces = (int)((entry.Count + TensorReader.Piece - 1) / TensorReader.Piece);
        long[] firstBad = new long[pieces];
        try
        {
            Parallel.For(0, pieces, () => new TensorReader(file, entry), (piece, _, reader) =>
            {
                firstBad[piece] = Read(reader, (long)piece * TensorReader.Piece, entry.Count, address);
                return reader;
            }, static _ => { });
        }
        catch (AggregateException e) when (e.InnerExceptions.OfType<GradpathException>().FirstOrDefault() is { } first)
        {
            throw new GradpathException(first.Message, e);
        }
        long index = firstBad.FirstOrDefault(i => i >= 0, -1);
        if (index >= 0) throw NotFinite(file, entry, index);
    }

    // The index of the first element that is not finite, or -1.
    private static unsafe long Read(TensorReader reader, long from, long length, nint address)
    {
        int count = (int)Math.Min(TensorReader.Piece, length - from);
        Span<float> values = new((float*)address + from, count);
        reader.Read(from, values);
        int bad = FiniteCheck.IndexOfFirst(values);
        return bad < 0 ? -1 : from + bad;
    }

    private static GradpathException NotFinite(SafetensorsFile file, SafetensorsEntry entry, long index)
    {
        float value = 0;
        new TensorReader(file, entry).Read(index, new Span<float>(ref value));
        string place = $"element {entry.IndexText(index)} of tensor {Quoted.Name(entry.Name)}";
        string shown = float.IsNaN(value) ? "NaN" : value > 0 ? "infinite" : "minus infinity";
        string cause = entry.Dtype == "F64" && !float.IsNaN(value)
            ? "beyond float32, in which models are computed"
            : "not a finite number: the training or the conversion that made the file overflowed, or the file is damaged";
        return GradpathException.Worded($"{file.Path}: {place} is {shown}, {cause}; {Terms.WeightsListing} lists all such tensors");
    }
}
