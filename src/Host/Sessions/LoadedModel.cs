using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Host.Sessions;

/// <summary>A model that is ready to be scored.</summary>
/// <param name="Name">What result files call it.</param>
/// <param name="Hash">Identifies its weights.</param>
/// <param name="Weights">The weights on the device that computes.</param>
internal sealed record LoadedModel(string Name, string Hash, Gpt2Weights Weights) : IDisposable
{
    public void Dispose() => Weights.Dispose();

    /// <summary>Brings an open checkpoint to a device.</summary>
    /// <param name="argument">What the user called it; a path is shortened to its last folder.</param>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="device">The device.</param>
    /// <param name="cancellation">Stops the hashing.</param>
    public static LoadedModel Load(string argument, Gpt2Checkpoint checkpoint, Kernels.Device device, CancellationToken cancellation)
    {
        string name = Directory.Exists(argument) ? Path.GetFileName(checkpoint.Directory) : argument;
        return new LoadedModel(name, checkpoint.ComputeHash(cancellation), checkpoint.LoadWeights(device));
    }
}
