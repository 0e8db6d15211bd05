using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Kernels.Cuda;

/// <summary>A launch, for errors.</summary>
/// <param name="Kernel">The entry point.</param>
/// <param name="Grid">Blocks.</param>
/// <param name="Threads">Threads of a block; 0 for what has kernels of its own: a recorded pass, a library.</param>
/// <param name="SharedBytes">Dynamic shared memory of a block.</param>
internal readonly record struct KernelLaunch(string Kernel, Grid Grid, int Threads, int SharedBytes)
{
    /// <summary>What it was launched on.</summary>
    public string Place =>
        $"on {Grid.X} x {Grid.Y} x {Grid.Z} blocks of {Threads} threads with {SharedBytes} bytes of shared memory";

    /// <inheritdoc />
    public override string ToString() => Threads == 0 ? Kernel : $"{Kernel} {Place}";
}
