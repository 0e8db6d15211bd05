namespace Gradpath.Kernels.Circuits;

/// <summary>A block of a matrix of edge scores: a row per writer, a column per reader.</summary>
/// <param name="Scores">The matrix, float64.</param>
/// <param name="Stride">Columns of the matrix.</param>
/// <param name="First">The cell of the first writer and reader, counted row by row.</param>
internal readonly record struct ScoreBlock(DeviceArray<double> Scores, int Stride, long First);
