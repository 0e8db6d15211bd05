using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>
/// Brings one tensor of a file to a device. Aligned F32 data are handed to the device where they lie. Everything else (half types, F64,
/// and data that an old writer left unaligned) is converted piece by piece, so that the host never holds a second copy of the whole.
/// </summary>
internal static unsafe class TensorLoader
{
    private const int Piece = 1 << 22;

    /// <summary>Loads a tensor.</summary>
    /// <param name="device">The device.</param>
    /// <param name="file">The file, which outlives the tensor.</param>
    /// <param name="entry">The tensor, of a floating-point type.</param>
    /// <param name="shape">Its shape, checked already.</param>
    /// <returns>The tensor; not to be written to.</returns>
    public static Tensor Load(Device device, SafetensorsFile file, SafetensorsEntry entry, int[] shape)
    {
        nint address = file.AddressOf(entry);
        if (entry.Dtype == "F32" && (address & (sizeof(float) - 1)) == 0) return device.Adopt(address, shape, file);

        int width = SafetensorsEntry.BitsOf(entry.Dtype) / 8;
        Tensor tensor = device.Allocate(shape);
        try
        {
            float[] values = new float[Math.Min(Piece, tensor.Length)];
            for (long done = 0; done < tensor.Length; done += Piece)
            {
                int count = (int)Math.Min(Piece, tensor.Length - done);
                FloatConversion.ToSingle(entry.Dtype, (byte*)address + (done * width), values.AsSpan(0, count));
                device.Upload<float>(values.AsSpan(0, count), tensor.Slice(done, count));
            }
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }
}
