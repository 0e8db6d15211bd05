using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Transcoders;

namespace Gradpath.Gpt2Runtime.Tests.Transcoders;

/// <summary>Files of random transcoders.</summary>
internal static class TranscoderFiles
{
    /// <summary>Writes a transcoder.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="layer">Its layer, which is also its seed.</param>
    /// <param name="width">D.</param>
    /// <param name="features">Features.</param>
    /// <param name="skip">Whether it has a skip connection.</param>
    /// <param name="threshold">Thresholds; null for none.</param>
    /// <param name="byInput">Whether W_enc is [D, features].</param>
    public static TranscoderSpec Write(
        string folder, int layer, int width, int features, bool skip = false, float? threshold = null, bool byInput = false)
    {
        Random random = new(layer + 1);
        float[] encoder = Draw(random, features * width, 1), decoder = Draw(random, features * width, 0.3f);
        SafetensorsWriter writer = new();
        float[] turned = new float[encoder.Length];
        for (int f = 0; f < features; f++)
        {
            for (int d = 0; d < width; d++) turned[(d * features) + f] = encoder[(f * width) + d];
        }
        if (byInput) writer.Add("W_enc", turned, width, features);
        else writer.Add("W_enc", encoder, features, width);
        writer.Add("W_dec", decoder, features, width);
        writer.Add("b_enc", Draw(random, features, 0.5f), features);
        writer.Add("b_dec", Draw(random, width, 0.5f), width);
        if (skip) writer.Add("W_skip", Draw(random, width * width, 0.2f), width, width);
        string thresholds = byInput ? "threshold" : "activation_function.threshold";
        if (threshold is { } t) writer.Add(thresholds, Enumerable.Repeat(t, features).ToArray(), features);
        string path = Path.Combine(folder, $"{(byInput ? "lens" : "layer")}_{layer}.safetensors");
        writer.Write(path);
        return new TranscoderSpec(layer, path) { ByInput = byInput };
    }

    private static float[] Draw(Random random, int count, float scale) =>
        [.. Enumerable.Range(0, count).Select(_ => ((random.NextSingle() * 2) - 1) * scale)];
}
