namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>
/// Writes a model as a Hugging Face GPT-2 directory: config.json and model.safetensors, F32, names with the <c>transformer.</c> prefix.
/// </summary>
internal static class CheckpointWriter
{
    /// <summary>Writes a model. Each file appears whole or not at all; those that exist are replaced.</summary>
    /// <param name="directory">Created if it does not exist.</param>
    /// <param name="weights">The model. A tied head is not written a second time.</param>
    /// <exception cref="GradpathException">A file cannot be written.</exception>
    public static void Write(string directory, Gpt2Weights weights)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        ArgumentNullException.ThrowIfNull(weights);
        try
        {
            Directory.CreateDirectory(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GradpathException($"cannot create the directory {directory}: {e.Message}", e);
        }
        using Kernels.RunLease lease = weights.Device.EnterRun();
        SafetensorsWriter writer = new();
        writer.AddMetadata("format", "pt");
        foreach ((string name, Kernels.Tensor tensor) in Gpt2Layout.TensorsOf(weights))
        {
            writer.Add(name.StartsWith("lm_head.", StringComparison.Ordinal) ? name : "transformer." + name, tensor);
        }
        writer.Write(Path.Combine(directory, "model.safetensors"));
        Gpt2ConfigFile.Write(Path.Combine(directory, "config.json"), weights.Config);
    }
}
