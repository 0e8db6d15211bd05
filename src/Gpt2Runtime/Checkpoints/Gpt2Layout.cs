using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>
/// Which tensors a GPT-2 model consists of, under the names of Hugging Face checkpoints. The one place that knows the names: the loader,
/// the writer and the random models all go through it.
/// </summary>
internal static class Gpt2Layout
{
    /// <summary>Name of the untied unembedding [V, D].</summary>
    public const string HeadWeight = "lm_head.weight";

    /// <summary>Name of the unembedding's bias [V], which few checkpoints have.</summary>
    public const string HeadBias = "lm_head.bias";

    /// <summary>The bias of the unembedding, for a checkpoint that has one.</summary>
    /// <param name="config">The model's shape.</param>
    /// <returns>What it must look like.</returns>
    public static TensorSpec HeadBiasOf(Gpt2Config config) => new(HeadBias, [config.Vocabulary], "[vocab_size]");

    /// <summary>The unembedding, for a checkpoint that has its own.</summary>
    /// <param name="config">The model's shape.</param>
    /// <returns>What it must look like.</returns>
    public static TensorSpec HeadOf(Gpt2Config config) => new(HeadWeight, [config.Vocabulary, config.Width], "[vocab_size, n_embd]");

    /// <summary>All tensors that a checkpoint must have.</summary>
    /// <param name="config">The model's shape.</param>
    /// <returns>The tensors in the order of the forward pass.</returns>
    public static IEnumerable<TensorSpec> Of(Gpt2Config config)
    {
        int d = config.Width;
        int inner = config.InnerWidth;
        yield return new("wte.weight", [config.Vocabulary, d], "[vocab_size, n_embd]");
        yield return new("wpe.weight", [config.Positions, d], "[n_positions, n_embd]");
        for (int l = 0; l < config.Layers; l++)
        {
            yield return new($"h.{l}.ln_1.weight", [d], "[n_embd]");
            yield return new($"h.{l}.ln_1.bias", [d], "[n_embd]");
            yield return new($"h.{l}.attn.c_attn.weight", [d, 3 * d], "[n_embd, 3 n_embd]");
            yield return new($"h.{l}.attn.c_attn.bias", [3 * d], "[3 n_embd]");
            yield return new($"h.{l}.attn.c_proj.weight", [d, d], "[n_embd, n_embd]");
            yield return new($"h.{l}.attn.c_proj.bias", [d], "[n_embd]");
            yield return new($"h.{l}.ln_2.weight", [d], "[n_embd]");
            yield return new($"h.{l}.ln_2.bias", [d], "[n_embd]");
            yield return new($"h.{l}.mlp.c_fc.weight", [d, inner], "[n_embd, n_inner]");
            yield return new($"h.{l}.mlp.c_fc.bias", [inner], "[n_inner]");
            yield return new($"h.{l}.mlp.c_proj.weight", [inner, d], "[n_inner, n_embd]");
            yield return new($"h.{l}.mlp.c_proj.bias", [d], "[n_embd]");
        }
        yield return new("ln_f.weight", [d], "[n_embd]");
        yield return new("ln_f.bias", [d], "[n_embd]");
        if (!config.TiedHead) yield return HeadOf(config);
    }

    /// <summary>Puts a model together.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="tensors">The tensors by name; <see cref="HeadBias"/> is optional.</param>
    /// <param name="source">Disposed of with the weights.</param>
    /// <param name="identity">What result files say about the model; null where nothing is known but the weights.</param>
    /// <returns>The model's weights.</returns>
    public static Gpt2Weights Assemble(
        Gpt2Config config, IReadOnlyDictionary<string, Tensor> tensors, IDisposable? source = null, ModelIdentity? identity = null)
    {
        Gpt2Layer[] layers = new Gpt2Layer[config.Layers];
        for (int l = 0; l < layers.Length; l++)
        {
            string h = $"h.{l}.";
            layers[l] = new Gpt2Layer(
                tensors[h + "ln_1.weight"],
                tensors[h + "ln_1.bias"],
                tensors[h + "attn.c_attn.weight"],
                tensors[h + "attn.c_attn.bias"],
                tensors[h + "attn.c_proj.weight"],
                tensors[h + "attn.c_proj.bias"],
                tensors[h + "ln_2.weight"],
                tensors[h + "ln_2.bias"],
                tensors[h + "mlp.c_fc.weight"],
                tensors[h + "mlp.c_fc.bias"],
                tensors[h + "mlp.c_proj.weight"],
                tensors[h + "mlp.c_proj.bias"]);
        }
        return new Gpt2Weights(
            config,
            tensors["wte.weight"],
            tensors["wpe.weight"],
            layers,
            tensors["ln_f.weight"],
            tensors["ln_f.bias"],
            tensors[config.TiedHead ? "wte.weight" : HeadWeight],
            tensors.GetValueOrDefault(HeadBias),
            source,
            identity);
    }

    /// <summary>The reverse of <see cref="Assemble"/>.</summary>
    /// <param name="weights">A model.</param>
    /// <returns>Its tensors under their names, each once.</returns>
    public static IEnumerable<(string Name, Tensor Tensor)> TensorsOf(Gpt2Weights weights)
    {
        yield return ("wte.weight", weights.TokenEmbedding);
        yield return ("wpe.weight", weights.PositionEmbedding);
        for (int l = 0; l < weights.Layers.Count; l++)
        {
            Gpt2Layer layer = weights.Layers[l];
            yield return ($"h.{l}.ln_1.weight", layer.AttentionGain);
            yield return ($"h.{l}.ln_1.bias", layer.AttentionShift);
            yield return ($"h.{l}.attn.c_attn.weight", layer.QkvWeight);
            yield return ($"h.{l}.attn.c_attn.bias", layer.QkvBias);
            yield return ($"h.{l}.attn.c_proj.weight", layer.OutputWeight);
            yield return ($"h.{l}.attn.c_proj.bias", layer.OutputBias);
            yield return ($"h.{l}.ln_2.weight", layer.MlpGain);
            yield return ($"h.{l}.ln_2.bias", layer.MlpShift);
            yield return ($"h.{l}.mlp.c_fc.weight", layer.UpWeight);
            yield return ($"h.{l}.mlp.c_fc.bias", layer.UpBias);
            yield return ($"h.{l}.mlp.c_proj.weight", layer.DownWeight);
            yield return ($"h.{l}.mlp.c_proj.bias", layer.DownBias);
        }
        yield return ("ln_f.weight", weights.FinalGain);
        yield return ("ln_f.bias", weights.FinalShift);
        if (!weights.Config.TiedHead) yield return (HeadWeight, weights.Unembedding);
        if (weights.UnembeddingBias is { } bias) yield return (HeadBias, bias);
    }
}
