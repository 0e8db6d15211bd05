namespace Gradpath.Kernels.Cuda.Driver;

/// <summary>Blocks of a launch.</summary>
internal readonly record struct Grid(int X, int Y = 1, int Z = 1)
{
    public static implicit operator Grid(int x) => new(x);

    public static implicit operator Grid((int X, int Y) grid) => new(grid.X, grid.Y);

    public static implicit operator Grid((int X, int Y, int Z) grid) => new(grid.X, grid.Y, grid.Z);
}
