namespace Gradpath.Kernels.Circuits;

/// <summary>Gradients of readers: one block of rows each. Several layers have as many readers each.</summary>
/// <param name="Readers">Number of readers of a layer.</param>
/// <param name="Rows">Rows of a block.</param>
/// <param name="Width">D, the width of a row.</param>
/// <param name="Points">Number of points that the gradients are sums over.</param>
/// <param name="Layers">Number of layers.</param>
/// <param name="SumsStride">Floats from one layer's sums (offsets, coefficients, the last reader's gradient) to the next one's.</param>
/// <param name="StandardizedStride">Floats from one layer's normalised rows to the next one's.</param>
internal readonly record struct ReaderBlocks(
    int Readers, int Rows, int Width, int Points, int Layers = 1, long SumsStride = 0, long StandardizedStride = 0);
