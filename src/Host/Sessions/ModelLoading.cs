using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Host.Reports;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Host.Sessions;

/// <summary>Brings models to devices under the names that users call them by.</summary>
internal static class ModelLoading
{
    /// <summary>Brings an open checkpoint to a device.</summary>
    /// <param name="argument">What the user called it; a path is shortened to its last folder.</param>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="device">The device.</param>
    /// <param name="terminal">Told what a user should know of the checkpoint.</param>
    /// <param name="cancellation">Stops the hashing.</param>
    public static Gpt2Weights Load(
        string argument, Gpt2Checkpoint checkpoint, Device device, Terminal terminal, CancellationToken cancellation)
    {
        TokenizerNotes.Warn(terminal, checkpoint.Warnings);
        checkpoint.ComputeHash(cancellation);
        Gpt2Weights weights = checkpoint.LoadWeights(device, NameOf(argument, checkpoint), cancellation);
        if (device is CudaDevice { PackedRefusal: { } reason })
            terminal.Warn($"products run as on GPUs before compute capability 9.0: {reason}");
        return weights;
    }

    /// <summary>What results call a model.</summary>
    /// <param name="argument">What the user called it.</param>
    /// <param name="checkpoint">The checkpoint.</param>
    public static string NameOf(string argument, Gpt2Checkpoint checkpoint) =>
        Directory.Exists(argument) ? Path.GetFileName(checkpoint.Directory) : argument;
}
