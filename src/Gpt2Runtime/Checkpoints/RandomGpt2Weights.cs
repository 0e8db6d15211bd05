using System.Security.Cryptography;
using System.Text;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>
/// Models of random weights, for timing and tests. Values come from a counter-based generator (a hash of seed, tensor and index), so they
/// are the same bits on every machine and with any number of threads. Each is the sum of four uniform 16-bit numbers: mean 0, the given
/// standard deviation, close to a normal distribution but without tails beyond 3.5 standard deviations.
/// </summary>
internal static class RandomGpt2Weights
{
    private const int Piece = 1 << 22;
    private const int Chunk = 1 << 16;

    // Standard deviation of the sum of four uniform integers from 0 to 65535: sqrt(4 (2^32 - 1) / 12).
    private const double SumDeviation = 37837.227;

    /// <summary>
    /// Makes a model. The defaults are GPT-2's initialisation: weights of standard deviation 0.02 (the projections into the residual
    /// stream divided by sqrt(2 L)), gains 1, biases 0. Tests want gains and biases that matter: give them a jitter.
    /// </summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="seed">Same seed, same shape, same options: the same weights.</param>
    /// <param name="device">Where the weights go.</param>
    /// <param name="scale">Standard deviation of embeddings and matrices.</param>
    /// <param name="gainJitter">Standard deviation of the LayerNorm gains around 1.</param>
    /// <param name="biasJitter">Standard deviation of all biases around 0.</param>
    /// <param name="headBias">Whether the unembedding gets a bias as well.</param>
    /// <returns>The weights; dispose of them to free the memory.</returns>
    /// <exception cref="DeviceException">The device has no room for them.</exception>
    public static Gpt2Weights Create(
        Gpt2Config config,
        int seed,
        Device device,
        float scale = 0.02f,
        float gainJitter = 0,
        float biasJitter = 0,
        bool headBias = false)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(device);
        using RunLease lease = device.EnterRun();
        IEnumerable<TensorSpec> specs = Gpt2Layout.Of(config);
        if (headBias) specs = specs.Append(Gpt2Layout.HeadBiasOf(config));
        Dictionary<string, Tensor> tensors = new(StringComparer.Ordinal);
        try
        {
            foreach (TensorSpec spec in specs)
            {
                Tensor tensor = device.AllocateZeros(spec.Shape);
                tensors.Add(spec.Name, tensor);
                ulong stream = Mix(((ulong)(uint)seed << 32) | (uint)tensors.Count);
                (float mean, double deviation) = Distribution(spec.Name, config, scale, gainJitter, biasJitter);
                Fill(device, tensor, stream, mean, deviation);
            }
            return Gpt2Layout.Assemble(
                config, tensors,
                identity: new ModelIdentity($"random, seed {seed}", () => Hash(config, seed, scale, gainJitter, biasJitter, headBias)));
        }
        catch
        {
            foreach (Tensor tensor in tensors.Values) tensor.Dispose();
            throw;
        }
    }

    // The numbers follow from these, so that they identify the weights.
    private static string Hash(Gpt2Config config, int seed, float scale, float gainJitter, float biasJitter, bool headBias)
    {
        FormattableString made =
            $"{config.Fingerprint}, seed {seed}, scale {scale:R}, gains {gainJitter:R}, biases {biasJitter:R}, head bias {headBias}";
        return "sha256-random:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(FormattableString.Invariant(made))));
    }

    private static (float Mean, double Deviation) Distribution(
        string name, Gpt2Config config, float scale, float gainJitter, float biasJitter)
    {
        if (name.EndsWith(".bias", StringComparison.Ordinal)) return (0, biasJitter);
        if (name.Contains("ln_", StringComparison.Ordinal)) return (1, gainJitter);
        return (0, name.EndsWith(".c_proj.weight", StringComparison.Ordinal) ? scale / Math.Sqrt(2.0 * config.Layers) : scale);
    }

    private static void Fill(Device device, Tensor tensor, ulong stream, float mean, double deviation)
    {
        if (deviation == 0 && mean == 0) return;
        float factor = (float)(deviation / SumDeviation);
        float[] values = new float[Math.Min(Piece, tensor.Length)];
        for (long done = 0; done < tensor.Length; done += Piece)
        {
            int count = (int)Math.Min(Piece, tensor.Length - done);
            ulong first = stream + (ulong)done;
            Parallel.For(0, (count + Chunk - 1) / Chunk, chunk =>
            {
                int end = Math.Min(count, (chunk + 1) * Chunk);
                for (int i = chunk * Chunk; i < end; i++) values[i] = mean + (factor * Centred(Mix(first + (ulong)i)));
            });
            device.Upload<float>(values.AsSpan(0, count), tensor.Slice(done, count));
        }
    }

    private static int Centred(ulong bits) =>
        (int)(bits & 0xffff) + (int)((bits >> 16) & 0xffff) + (int)((bits >> 32) & 0xffff) + (int)(bits >> 48) - (2 * 0xffff);

    // The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
    private static ulong Mix(ulong z)
    {
        z += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
}
