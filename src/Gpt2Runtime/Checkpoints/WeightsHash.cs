using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>
/// The hash of weights that did not come from files: <c>sha256-weights:</c> and the SHA-256 over the model's shape and, of every tensor,
/// its name and its float32 values; of more than 256 MiB of weights the first 64 KiB of every MiB of each tensor, as
/// <c>sha256-weights-sampled:</c>.
/// </summary>
internal static class WeightsHash
{
    private const int Stride = (1 << 20) / sizeof(float);
    private const int Sample = (1 << 16) / sizeof(float);

    /// <summary>Computes the hash.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <returns>The hash with its kind in front.</returns>
    public static string Compute(Gpt2Weights weights)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(weights.Config.Fingerprint));
        (string Name, Tensor Tensor)[] tensors = [.. Gpt2Layout.TensorsOf(weights)];
        bool inFull = tensors.Sum(t => t.Tensor.Length) * sizeof(float) <= CheckpointHash.LargestInFull;
        var values = new float[inFull ? Stride : Sample];
        foreach ((string name, Tensor tensor) in tensors)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(name + "\0"));
            for (long done = 0; done < tensor.Length; done += Stride)
            {
                int count = (int)Math.Min(values.Length, tensor.Length - done);
                using Tensor part = tensor.Slice(done, count);
                part.Download(values.AsSpan(0, count));
                hash.AppendData(MemoryMarshal.AsBytes(values.AsSpan(0, count)));
            }
        }
        return (inFull ? "sha256-weights:" : "sha256-weights-sampled:") + Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
