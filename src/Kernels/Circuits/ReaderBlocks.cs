namespace Gradpath.Kernels.Circuits;

/// <summary>Gradients of readers: one block of rows each.</summary>
/// <param name="Readers">Number of readers.</param>
/// <param name="Rows">Rows of a block.</param>
/// <param name="Width">D, the width of a row.</param>
/// <param name="Points">Number of points that the gradients are sums over.</param>
internal readonly record struct ReaderBlocks(int Readers, int Rows, int Width, int Points);
