namespace Gradpath.Kernels.Cuda;

/// <summary>Where a factor lies in a packed matrix.</summary>
/// <param name="Halves">Address of its first step of k of its first block of columns.</param>
/// <param name="Back">Address of its first column's scale.</param>
/// <param name="Step">Steps of k from one member of a batch to the next.</param>
/// <param name="Chunks">Steps of k that a block of columns has, of the whole matrix.</param>
internal readonly record struct PackedPlace(nint Halves, nint Back, long Step, int Chunks);
