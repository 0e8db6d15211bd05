namespace Gradpath.Kernels.Circuits;

/// <summary>Readers of one width side by side, such as all queries of a layer.</summary>
/// <param name="Readers">Number of readers.</param>
/// <param name="HeadWidth">Width of what one of them makes of its input.</param>
/// <param name="Width">D, the width of their input.</param>
internal readonly record struct ReaderGroup(int Readers, int HeadWidth, int Width);
