namespace Gradpath.Diagnostics.Bench;

/// <summary>
/// Peaks that NVIDIA's data sheets state for a GPU, dense: a sheet that has figures with sparsity is halved.
/// </summary>
/// <param name="Name">The product name as the driver tells it.</param>
/// <param name="Float32">TFLOP/s of the ordinary units.</param>
/// <param name="Tf32">TFLOP/s of tensor cores in TF32.</param>
/// <param name="Bf16">TFLOP/s of tensor cores in bfloat16, with float32 sums.</param>
/// <param name="Memory">GB/s of the memory.</param>
internal sealed record Datasheet(string Name, double Float32, double Tf32, double Bf16, double Memory)
{
    // The first name that the driver's begins with counts.
    private static readonly Datasheet[] s_all =
    [
        new("NVIDIA A100-SXM4-40GB", 19.5, 156, 312, 1555),
        new("NVIDIA A100-SXM4-80GB", 19.5, 156, 312, 2039),
        new("NVIDIA A100-PCIE-40GB", 19.5, 156, 312, 1555),
        new("NVIDIA A100 80GB PCIe", 19.5, 156, 312, 1935),
        new("NVIDIA A10", 31.2, 62.5, 125, 600),
        new("NVIDIA A40", 37.4, 74.8, 149.7, 696),
        new("NVIDIA RTX A6000", 38.7, 77.4, 154.8, 768),
        new("NVIDIA H100 80GB HBM3", 67, 494.5, 989.5, 3350),
        new("NVIDIA H100 PCIe", 51, 378, 756, 2000),
        new("NVIDIA H100 NVL", 60, 417.5, 835.5, 3900),
        new("NVIDIA H200 NVL", 60, 417.5, 835.5, 4800),
        new("NVIDIA H200", 67, 494.5, 989.5, 4800),
        new("NVIDIA GeForce RTX 3090 Ti", 40, 40, 80, 1008),
        new("NVIDIA GeForce RTX 3090", 35.6, 35.6, 71, 936),
        new("NVIDIA GeForce RTX 4090", 82.6, 82.6, 165.2, 1008),
        new("NVIDIA GeForce RTX 5090", 104.8, 104.8, 209.5, 1792),
        new("NVIDIA RTX 6000 Ada Generation", 91.1, 182.1, 364.2, 960),
        new("NVIDIA L40S", 91.6, 183, 362, 864),
        new("NVIDIA L40", 90.5, 90.5, 181, 864),
        new("NVIDIA L4", 30.3, 60, 121, 300),
    ];

    /// <summary>The data sheet of a GPU.</summary>
    /// <param name="name">Its product name.</param>
    /// <returns>Its peaks; null where they are not known here.</returns>
    public static Datasheet? Of(string name)
    {
        // Cards of these names are slower ones.
        bool lesser = name.EndsWith("Laptop GPU", StringComparison.Ordinal) || name.EndsWith(" D", StringComparison.Ordinal);
        return lesser ? null : Array.Find(s_all, d => Names(d.Name, name));
    }

    private static bool Names(string sheet, string name) =>
        name.StartsWith(sheet, StringComparison.Ordinal)
        && (name.Length == sheet.Length || !char.IsAsciiLetterOrDigit(name[sheet.Length]));
}
