namespace Gradpath.Kernels;

/// <summary>
/// The rows of a backward pass over one forward pass. Gradient row r belongs to row r mod <paramref name="ActivationRows"/> of the forward
/// pass and to row r mod <paramref name="BaseRows"/> of its first copy.
/// </summary>
/// <param name="Rows">Gradient rows.</param>
/// <param name="ActivationRows">Rows of the forward pass.</param>
/// <param name="BaseRows">Rows of one copy.</param>
internal readonly record struct GradientRows(int Rows, int ActivationRows, int BaseRows);
