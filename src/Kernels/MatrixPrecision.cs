namespace Gradpath.Kernels;

/// <summary>What the factors of a matrix product are rounded to; sums are always float32.</summary>
public enum MatrixPrecision
{
    /// <summary>float32 throughout: what every published number of this project uses.</summary>
#pragma warning disable CA1720 // the precision is named like the type that has it
    Float32,
#pragma warning restore CA1720

    /// <summary>Factors rounded to TF32 (8 exponent bits, 10 mantissa bits) on tensor cores.</summary>
    Tf32,

    /// <summary>Factors rounded to bfloat16 (8 exponent bits, 7 mantissa bits) on tensor cores.</summary>
    BFloat16,
}
