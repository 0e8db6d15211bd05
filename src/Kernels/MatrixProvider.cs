namespace Gradpath.Kernels;

/// <summary>Who multiplies matrices on a device.</summary>
public enum MatrixProvider
{
    /// <summary>The project's own kernels.</summary>
    Own,

    /// <summary>cuBLAS.</summary>
    Cublas,
}
