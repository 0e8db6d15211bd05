namespace Gradpath.Kernels.Circuits;

/// <summary>What the points of a path leave behind for a group of readers, see <see cref="Device.AccumulateReaders"/>.</summary>
/// <param name="Sums">[base rows, readers * head width].</param>
/// <param name="Offsets">[readers, base rows].</param>
/// <param name="Coefficients">[points, readers, base rows].</param>
internal readonly record struct ReaderSums(Tensor Sums, Tensor Offsets, Tensor Coefficients);
