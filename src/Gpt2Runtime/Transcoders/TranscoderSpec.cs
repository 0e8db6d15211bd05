namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>A transcoder's file, and what the description beside it says of it.</summary>
/// <param name="Layer">The layer whose MLP it stands for.</param>
/// <param name="Path">The safetensors file.</param>
/// <param name="Activation">Which features are active; null where the file's tensors decide: with thresholds jump-relu, else relu.</param>
/// <param name="K">With top-k how many.</param>
internal sealed record TranscoderSpec(int Layer, string Path, TranscoderActivation? Activation = null, int K = 0)
{
    /// <summary>Whether W_enc is [D, features], as SAELens has it, and not [features, D].</summary>
    public bool ByInput { get; init; }

    /// <summary>Whether of the k largest those below 0 are active too.</summary>
    public bool KeepsNegative { get; init; }

    /// <summary>What it reads.</summary>
    public TranscoderInput Input { get; init; }
}
