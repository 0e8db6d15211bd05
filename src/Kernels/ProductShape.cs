namespace Gradpath.Kernels;

/// <summary>
/// The extents of a matrix product: [<paramref name="Rows"/>, <paramref name="Depth"/>] x [<paramref name="Depth"/>,
/// <paramref name="Columns"/>].
/// </summary>
/// <param name="Rows">Rows of the result.</param>
/// <param name="Columns">Columns of the result.</param>
/// <param name="Depth">Products that an element of the result adds up.</param>
/// <param name="Batch">Number of products.</param>
internal readonly record struct ProductShape(int Rows, int Columns, int Depth, int Batch);
